"""`sakedge evaluate`: how well does a student do its tasks, in what, with which adapters?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sakedge.cli.options import CacheDir, Device, Json, StudentPath, Tasks, Threads, names
from sakedge.cli.output import print_json, print_table, progress_bar, say
from sakedge.cli.written import check_output, write_json
from sakedge.errors import BackendError, OptionError
from sakedge.files.atomic import make_folder

if TYPE_CHECKING:
    from sakedge.evaluating.ablation import Ablation
    from sakedge.evaluating.evaluation import Evaluation
    from sakedge.measuring.intervals import Estimate
    from sakedge.measuring.metrics import Metric

JSON_FILE, PAGE, MEASURED = "evaluation.json", "report.html", "measured"


def evaluate(
    student: StudentPath,
    data: Annotated[Path, typer.Option("--data", metavar="FOLDER", help="The labelled images.")],
    kind: Annotated[
        str, typer.Option(help="Its layout: folder, pascal-context, nyud-v2 or auto.")
    ] = "auto",
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for report and JSON.")
    ] = Path("evaluation"),
    backend: Annotated[
        list[str] | None, typer.Option(help="Runtime; give it again for more than one.")
    ] = None,
    precision: Annotated[
        list[str] | None, typer.Option(help="Precision; give it again for more than one.")
    ] = None,
    adapters: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A,B",
            help="Set of adapters, `none` or `all`; give it again for more than one.",
        ),
    ] = None,
    tasks: Tasks = None,
    ablate: Annotated[
        bool, typer.Option("--ablate", help="Also measure what each adapter is worth.")
    ] = False,
    baseline: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="JSON, task to value: what Δm refers to."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Measure so many images, taken evenly.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with what an earlier run has measured.")
    ] = False,
    device: Device = None,
    threads: Threads = None,
    cache_dir: CacheDir = None,
    json: Json = False,
) -> None:
    """Measure a student on labelled images: metrics with intervals, a report, and JSON."""
    try:
        from sakedge.evaluating import evaluate as run
        from sakedge.evaluating.report import write_report
    except ImportError as error:
        raise BackendError(
            f"evaluate needs more packages: {error}", remedy="pip install 'sakedge[evaluate]'"
        ) from error
    _check_output(output, data, [student, *([baseline] if baseline else [])])
    with progress_bar() as progress:
        found = run(
            student,
            data,
            kind=kind,
            backends=backend or ("auto",),
            precisions=precision or ("auto",),
            adapters=[None if each == "all" else names(each) for each in adapters or ("all",)],
            tasks=names(tasks),
            baseline=baseline,
            limit=limit,
            ablate=ablate,
            pictures=True,
            store=output / MEASURED,
            resume=resume,
            progress=progress,
            device=device,
            threads=threads,
            cache_dir=cache_dir,
        )
        progress("writing the report", None)
        write_json(output / JSON_FILE, found.to_dict())
        write_report(found, output / PAGE)
    if json:
        print_json(found.to_dict())
        return
    _print(found)
    say(f"report in {output / PAGE}, all figures in {output / JSON_FILE}")


def _check_output(output: Path, data: Path, inputs: list[Path]) -> None:
    if output.resolve().is_relative_to(data.resolve()):
        raise OptionError(
            f"{output} lies in the data set", remedy="Choose another folder with --output"
        )
    make_folder(output)
    for name in (JSON_FILE, PAGE):
        check_output(output / name, inputs)


def _print(found: Evaluation) -> None:
    data = found.data
    say(f"{found.student['path']}  SHA-256 {found.student['digest'][:16]}…")
    say(f"{data['name']}  SHA-256 {data['digest'][:16]}…")
    print_table(
        f"{data['images']} images; 95 % intervals; change against the first of each task",
        ("task", "metric", "configuration", "value", "interval", "change", "its interval"),
        [
            (task, _name(score.metric), run.name, *_value(score.found), *_change(score.drop))
            for task in found.tasks
            for run in found.runs
            for score in [run.scores[task]]
        ],
    )
    for run in found.runs:
        delta = "" if run.delta_m is None else f"Δm {run.delta_m:+.2f} %, "
        say(f"{run.name}: {delta}{run.ms:.1f} ms a call")
    if found.ablation is not None:
        _print_ablation(found.ablation, found.student["experts"][1:])


def _print_ablation(ablation: Ablation, adapters: Sequence[str]) -> None:
    tasks = list(ablation.metrics)
    print_table(
        f"Sets of adapters, in {ablation.backend}, {ablation.precision}",
        ("", *(f"{task}: {_name(ablation.metrics[task])}" for task in tasks), "ms", "MiB"),
        [
            (
                " + ".join(each.adapters) or "stem only",
                *(f"{each.values[task].value:.4g}" for task in tasks),
                f"{each.ms:.1f}",
                f"{each.weight_bytes / 2**20:.1f}",
            )
            for each in ablation.subsets
        ],
    )
    print_table(
        "What all lose without one, with its interval; * where that leaves out 0",
        ("without", *tasks),
        [(name, *(_lost(ablation.worth[task][name,]) for task in tasks)) for name in adapters],
    )


def _name(metric: Metric) -> str:
    return f"{metric.name}, {metric.unit} {'↑' if metric.higher_is_better else '↓'}"


def _value(found: Estimate) -> tuple[str, str]:
    return f"{found.value:.4g}", f"{found.low:.4g} … {found.high:.4g}"


def _change(drop: Estimate | None) -> tuple[str, str]:
    if drop is None:
        return "", ""
    low, high = -100 * drop.high, -100 * drop.low
    return f"{-100 * drop.value:+.2f} %", f"{low:+.2f} … {high:+.2f} %"


def _lost(gain: Estimate) -> str:
    sure = " *" if gain.low > 0 or gain.high < 0 else ""
    return f"{gain.value:.2g} ({gain.low:.2g} … {gain.high:.2g}){sure}"
