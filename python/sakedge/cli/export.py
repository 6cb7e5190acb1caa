"""`sakedge export`: a student as a plain ONNX graph that other runtimes run fast."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sakedge.cli.options import Adapters, Json, StudentPath, Tasks, names
from sakedge.cli.output import print_json, print_table, progress_bar, say
from sakedge.cli.written import check_output
from sakedge.exporting.targets import TARGETS


def export(
    student: StudentPath,
    target: Annotated[
        str, typer.Option("--for", metavar="RUNTIME", help=f"One of {', '.join(TARGETS)}.")
    ] = "onnxruntime",
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The graph to write.")
    ] = Path("fast.onnx"),
    opset: Annotated[
        int | None,
        typer.Option(help="Version of ONNX's operators, from 17 on (default: the runtime's)."),
    ] = None,
    adapters: Adapters = None,
    tasks: Tasks = None,
    decode: Annotated[
        bool, typer.Option("--decode", help="Give labels, probabilities and so on, not logits.")
    ] = False,
    uint8: Annotated[
        bool, typer.Option("--uint8", help="Take uint8 RGB images, batch x H x W x 3.")
    ] = False,
    batch: Annotated[
        str | None,
        typer.Option(
            metavar="N|dynamic", help="Images in one run (default: dynamic; TensorRT's is 1)."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Export a student as plain ONNX, with the algebra and without anything of ours in it."""
    from sakedge.exporting import export as run

    check_output(output, [student])
    with progress_bar() as progress:
        found = run(
            student,
            output,
            target,
            opset=opset,
            adapters=names(adapters),
            tasks=names(tasks),
            decode=decode,
            uint8=uint8,
            batch=int(batch) if batch is not None and batch.isdecimal() else batch,
            progress=progress,
        )
    if json:
        print_json(
            {
                "files": [str(path) for path in found.files],
                "bytes": found.bytes,
                "target": found.target,
                "opset": found.opset,
                "inputs": found.inputs,
                "outputs": found.outputs,
                "adapters": found.adapters,
                "tasks": found.tasks,
                "notes": found.notes,
            }
        )
        return
    runtime = TARGETS[found.target].name
    rows = [("input", *each) for each in found.inputs.items()]
    rows += [("output", *each) for each in found.outputs.items()]
    print_table(f"{student} for {runtime}, opset {found.opset}", ("", "name", "values"), rows)
    say(f"adapters: {', '.join(found.adapters) or 'none: the stem alone'}")
    for note in found.notes:
        say(f"note: {note}")
    say(f"{' and '.join(map(str, found.files))}: {found.bytes / 1e6:.1f} MB")
