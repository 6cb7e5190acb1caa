"""`sakedge recheck`: is the student still as good on its golden images as the first time?"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sakedge.cli.durations import seconds_of
from sakedge.cli.options import Backend, Json, Precision, SiteFolder, StudentPath, Threads
from sakedge.cli.output import print_json, print_table, progress_bar, remark
from sakedge.errors import OptionError

if TYPE_CHECKING:
    from sakedge.canary.trend import Point, TaskPoint, Trend
    from sakedge.student import Student

WORSE = 2
"""Exit code when something is worse than it may be."""


def recheck(
    student: StudentPath,
    golden: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The golden images.", show_default=False)
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the trend.")
    ] = Path("recheck"),
    store: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Put in the adapters that are active in this store."),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Again and again, e.g. 30m, 6h or 1d (default: once)."),
    ] = None,
    rebase: Annotated[
        bool, typer.Option("--rebase", help="Compare later measurements with this one.")
    ] = False,
    show: Annotated[bool, typer.Option("--show", help="Print the trend; measure nothing.")] = False,
    backend: Backend = "auto",
    precision: Precision = "auto",
    threads: Threads = None,
    site: SiteFolder = None,
    json: Json = False,
) -> None:
    """Measure golden images again and compare with the first time; exit code 2 if worse."""
    from sakedge.canary.trend import Trend

    trend = Trend(output)
    if show:
        _show(trend.points(), json)
        return
    if golden is None:
        raise OptionError("no golden images", remedy="Name their folder with --golden")
    pause = None if every is None else seconds_of(every)
    while True:
        options = {"backend": backend, "precision": precision, "threads": threads}
        point = _measure(student, golden, trend, rebase, store, site, options)
        _print(point, json)
        if pause is None:
            break
        rebase = False
        time.sleep(pause)
    if point.alerts:
        raise typer.Exit(WORSE)


def _measure(
    student: Path,
    golden: Path,
    trend: Trend,
    rebase: bool,
    store: Path | None,
    site: Path | None,
    options: Mapping[str, object],
) -> Point:
    """Loads the student anew each time, so that what lies on the disk is what is measured."""
    from sakedge.api import load
    from sakedge.canary.golden import Golden
    from sakedge.canary.recheck import recheck as run
    from sakedge.site import Site

    rules = Site.open(site)
    rules.admit_folder(golden)
    config = {} if site is None else {"site": str(site)}
    with progress_bar() as progress, load(student, config=config, **options) as loaded:  # type: ignore[arg-type]
        if store is not None:
            _put_in(loaded, store)
        told = loaded.explain()
        images = Golden.read(golden, loaded.manifest, progress=progress)
        tasks = list(images.data.tasks)
        return run(
            lambda picture: loaded(picture, tasks=tasks),
            loaded.manifest,
            images,
            trend,
            student=told.digest,
            adapters={name: told.digests[f"adapters.{name}"] for name in told.adapters},
            rebase=rebase,
            record=rules.record,
            progress=progress,
        )


def _put_in(student: Student, store: Path) -> None:
    """Puts in the adapters that are active in a store."""
    with closing(student.follow(store)) as following:
        for name, reason in following.refused.items():
            remark(f"sakedge recheck: {name} is active in the store, but was refused: {reason}")


def _print(point: Point, json: bool) -> None:
    if json:
        print_json(point.model_dump())
        return
    what = "the baseline of those that follow" if point.first else "against the baseline"
    print_table(
        f"{point.time}, {point.images} golden images, {what}",
        ("task", "metric", "baseline", "now", "drop", "its 95 % interval", "allowed", "verdict"),
        [(task, *_row(each)) for task, each in point.tasks.items()],
    )
    for alert in point.alerts:
        remark(f"sakedge recheck: {alert}")


def _show(points: tuple[Point, ...], json: bool) -> None:
    if json:
        print_json([point.model_dump() for point in points])
        return
    tasks = list(dict.fromkeys(task for point in points for task in point.tasks))
    print_table(
        f"{len(points)} measurements",
        ("time", "golden images", *tasks, ""),
        [
            (
                point.time,
                f"{point.images} of {point.golden[:8]}",
                *(_figures(point.tasks.get(task)) for task in tasks),
                "baseline"
                if point.first
                else f"{len(point.alerts)} alerts"
                if point.alerts
                else "",
            )
            for point in points
        ],
    )


def _row(task: TaskPoint) -> tuple[str, ...]:
    return (
        f"{task.metric}, {task.unit}".removesuffix(", "),
        _number(task.baseline),
        _number(task.value),
        _share(task.drop),
        f"{_share(task.low)} to {_share(task.high)}",
        _share(task.allowed),
        task.verdict,
    )


def _figures(task: TaskPoint | None) -> str:
    return "" if task is None else f"{_number(task.value)} ({_share(task.drop)})"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2%}"
