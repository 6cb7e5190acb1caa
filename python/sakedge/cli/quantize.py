"""`sakedge quantize`: a student becomes int8, if no task loses more than is allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sakedge.cli.drops import drops_of
from sakedge.cli.options import Json, StudentPath, Threads
from sakedge.cli.output import print_json, print_table, progress_bar, say
from sakedge.cli.written import check_output
from sakedge.errors import QualityError

if TYPE_CHECKING:
    from sakedge.quantizing import Quantization, Verdict


def quantize(
    student: StudentPath,
    calibration: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER",
            help="Images like those that the student will see.",
            show_default=False,
        ),
    ],
    evaluation: Annotated[
        Path | None,
        typer.Option(
            "--eval",
            metavar="DATASET",
            help="Labelled images to judge by (default: some of FOLDER, by agreement with fp32).",
        ),
    ] = None,
    kind: Annotated[
        str, typer.Option(help="Layout of DATASET: folder, pascal-context, nyud-v2 or auto.")
    ] = "auto",
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The student to write.")
    ] = Path("student.int8.onnx"),
    max_drop: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[TASK=]SHARE",
            help="Most that a task's metric may lose, relative to fp32, e.g. 1% or edge=0.5% "
            "(default: 1%; 5% of disagreement without labels). May be given several times.",
        ),
    ] = None,
    ranges: Annotated[
        Literal["minmax", "percentile", "entropy"],
        typer.Option(help="How the range of a layer's input is chosen."),
    ] = "minmax",
    smooth: Annotated[
        bool, typer.Option(help="Move outliers into the weights where that helps.")
    ] = True,
    search: Annotated[
        bool, typer.Option(help="Keep in floats what a task would lose too much by.")
    ] = True,
    backend: Annotated[
        list[str] | None,
        typer.Option(
            help="Runtime to judge in (default: all that can run). May be given several times."
        ),
    ] = None,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Quantise a student to int8; write it only if every task passes the gate."""
    check_output(output, [student])
    common, single = drops_of(max_drop or ())
    from sakedge.quantizing import quantize as run

    try:
        with progress_bar() as progress:
            found = run(
                student,
                calibration,
                output,
                evaluation=evaluation,
                kind=kind,
                ranges=ranges,
                smooth=smooth,
                search=search,
                max_drop=common,
                task_drops=single,
                backends=backend,
                threads=threads,
                progress=progress,
            )
    except QualityError as error:
        if not json:
            _print_verdicts(error.verdicts)
        raise
    if json:
        print_json(found.to_dict())
    else:
        _print(found)


def _print(found: Quantization) -> None:
    _print_verdicts(found.verdicts)
    calibrated, searched, judged = found.images
    say(f"images: {calibrated} calibrated, {searched} searched on, {judged} judged")
    say(f"outliers moved into the weights of {found.smoothed} of {len(found.fitted)} layers")
    kept = found.kept
    if kept.floats and kept.plain_ms and kept.ms:
        say(f"in floats, as int8 lost too much there: {', '.join(kept.floats)}")
        say(f"that costs {kept.ms - kept.plain_ms:.1f} ms of {kept.ms:.1f} ms per image")
    size = found.path.stat().st_size
    say(f"{found.path}: {found.share:.0%} of products in int8, {size / 1e6:.1f} MB")


def _print_verdicts(verdicts: Mapping[str, Mapping[str, Verdict]]) -> None:
    for runtime, tasks in verdicts.items():
        print_table(
            f"int8 in {runtime}",
            (
                *("task", "metric", "fp32", "int8", "drop", "at most"),
                *("its 95 % interval", "up to at most", "passed"),
            ),
            [(task, *_row(verdict)) for task, verdict in tasks.items()],
        )
    every = [verdict for tasks in verdicts.values() for verdict in tasks.values()]
    for by in dict.fromkeys(f"{v.judged_by}, {v.n} images" for v in every):
        say(f"judged by {by}")


def _row(verdict: Verdict) -> Sequence[str]:
    drop, most = verdict.drop, verdict.most
    return (
        verdict.metric,
        f"{verdict.reference:.4g} {verdict.unit}".strip(),
        f"{verdict.value:.4g} {verdict.unit}".strip(),
        f"{drop.value:.2%}",
        "" if most is None else f"{most:.2%}",
        f"{drop.low:.2%} to {drop.high:.2%}",
        f"{verdict.allowed:.2%}",
        "yes" if verdict.passed else "no",
    )
