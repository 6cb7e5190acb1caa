"""`sakedge convert`: an official SAK checkpoint becomes student.onnx."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from sakedge.cli.options import Json
from sakedge.cli.output import print_json, print_table, progress_bar, say
from sakedge.cli.written import check_output
from sakedge.errors import BackendError, OptionError


def convert(
    checkpoint: Annotated[Path, typer.Argument(help="Stage-2 checkpoint of the training.")],
    config: Annotated[Path, typer.Argument(help="The config.yml beside it.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The student to write.")
    ] = Path("student.onnx"),
    dtype: Annotated[
        Literal["fp32", "fp16"], typer.Option(help="How weights are stored; arithmetic is float32.")
    ] = "fp32",
    size: Annotated[
        str | None,
        typer.Option(metavar="HxW", help="Another input size (default: the data set's)."),
    ] = None,
    fit: Annotated[
        Literal["pad", "letterbox", "tile"],
        typer.Option(help="How images of another size are fitted by default."),
    ] = "pad",
    json: Json = False,
) -> None:
    """Convert an official SAK checkpoint to a student that any ONNX runtime runs."""
    pixels = _size(size)
    check_output(output, [checkpoint, config])
    try:
        from sakedge.convert import convert as run
    except ImportError as error:
        raise BackendError(
            f"convert needs more packages: {error}",
            remedy="pip install 'sakedge[convert]' on the machine where you convert",
        ) from error
    with progress_bar() as progress:
        report = run(
            checkpoint,
            config,
            output,
            dtype=dtype,
            size=pixels,
            fit=fit,
            progress=progress,
        )
    if json:
        print_json(
            {
                "path": str(report.path),
                "bytes": report.bytes,
                "entries": report.entries,
                "parameters": {**report.parameters, "total": report.total},
                "notes": report.notes,
                "manifest": report.manifest.model_dump(mode="json"),
            }
        )
        return
    print_table(
        f"{checkpoint}: {report.entries} entries",
        ("part", "parameters"),
        [(part, f"{n / 1e6:.2f} M") for part, n in report.parameters.items()]
        + [("total", f"{report.total / 1e6:.2f} M")],
    )
    manifest = report.manifest
    say(f"tasks: {', '.join(f'{t.name} ({t.kind}, {t.classes})' for t in manifest.tasks)}")
    say(f"adapters: {', '.join(manifest.adapter_names) or 'none'}")
    for note in report.notes:
        say(f"note: {note}")
    height, width = manifest.input_size
    say(f"{report.path}: {height} x {width}, {dtype}, {report.bytes / 1e6:.1f} MB")


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,5})[xX,](\d{1,5})", text.strip())
    if found is None:
        raise OptionError(
            "--size is not a size", expected="HEIGHTxWIDTH in pixels, e.g. 448x576", got=repr(text)
        )
    return int(found[1]), int(found[2])
