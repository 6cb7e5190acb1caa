"""`sakedge advise`: which adapters, at which precision, are good and fast enough here?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sakedge.cli.drops import drops_of
from sakedge.cli.options import CacheDir, Device, Json, StudentPath, Tasks, Threads, names
from sakedge.cli.output import print_json, print_table, progress_bar, remark, say

if TYPE_CHECKING:
    from sakedge.evaluating.advice import Advice, Configuration
    from sakedge.measuring.intervals import Estimate


def advise(
    student: StudentPath,
    data: Annotated[Path, typer.Option("--data", metavar="FOLDER", help="The labelled images.")],
    budget: Annotated[
        float, typer.Option("--budget-ms", metavar="MS", help="The longest that a call may take.")
    ],
    max_drop: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[TASK=]DROP",
            help="How much worse a task may get, as `1%` or `edge=0.5%` (default: 1%).",
        ),
    ] = None,
    kind: Annotated[
        str, typer.Option(help="Layout: folder, pascal-context, nyud-v2 or auto.")
    ] = "auto",
    limit: Annotated[
        int | None, typer.Option(min=2, help="Judge on so many images, taken evenly.")
    ] = None,
    precision: Annotated[
        list[str] | None, typer.Option(help="Precision to try; give it again for more than one.")
    ] = None,
    tasks: Tasks = None,
    backend: Annotated[str | None, typer.Option(help="Runtime by name (default: auto).")] = None,
    device: Device = None,
    threads: Threads = None,
    cache_dir: CacheDir = None,
    json: Json = False,
) -> None:
    """Find the smallest set of adapters, and its precision, that is good and fast enough here."""
    from sakedge.evaluating.advise import advise as run

    common, single = drops_of(max_drop or ())
    options = {"backend": backend, "device": device, "threads": threads, "cache_dir": cache_dir}
    with progress_bar() as progress:
        advice = run(
            student,
            data,
            budget_ms=budget,
            max_drop=0.01 if common is None else common,
            task_drops=single,
            kind=kind,
            precisions=precision,
            tasks=names(tasks),
            limit=limit,
            progress=progress,
            **{key: value for key, value in options.items() if value is not None},
        )
    if json:
        print_json(advice.to_dict())
    else:
        _print(advice)
    if advice.chosen is None:
        remark(f"sakedge: {_nearest(advice)}")
        raise typer.Exit(1)


def _print(advice: Advice) -> None:
    tasks = tuple(advice.limits.drops)
    say(f"{advice.student}: at most {advice.limits.ms:g} ms")
    print_table(
        "Change against all adapters at fp32, with 95 % intervals",
        ("", "ms", "MiB", *(f"{t}, -{100 * advice.limits.drops[t]:g} %" for t in tasks), ""),
        [
            _row(advice.reference, tasks, "all, fp32"),
            *(_row(each, tasks, _verdict(advice, each)) for each in advice.tried),
        ],
    )
    for precision, reason in advice.refused.items():
        say(f"{precision} is left out: {reason}")
    if advice.chosen is not None:
        say(advice.load_line(advice.chosen))


def _row(each: Configuration, tasks: tuple[str, ...], verdict: str) -> tuple[str, ...]:
    changes = [_change(each.drops[task]) if each.drops else "" for task in tasks]
    return (each.name, f"{each.ms:.1f}", f"{each.weight_bytes / 2**20:.1f}", *changes, verdict)


def _change(drop: Estimate) -> str:
    value, low, high = (-100 * each + 0.0 for each in (drop.value, drop.high, drop.low))  # no -0
    return f"{value:+.2f} % [{low:+.2f}, {high:+.2f}]"


def _verdict(advice: Advice, each: Configuration) -> str:
    if not advice.limits.fast(each):
        return "too slow"
    lost = advice.limits.lost(each)
    return f"loses {', '.join(lost)} ({each.images} images)" if lost else "chosen"


def _nearest(advice: Advice) -> str:
    near, limits = advice.nearest, advice.limits
    if not limits.fast(near):
        return f"nothing fits; the fastest, {near.name}, takes {near.ms:.1f} of {limits.ms:g} ms."
    worst = max(near.drops, key=lambda task: near.drops[task].high - limits.drops[task])
    return (
        f"nothing fits; nearest comes {near.name} with {near.ms:.1f} ms, which may cost {worst} "
        f"{100 * near.drops[worst].high:.2f} % where {100 * limits.drops[worst]:g} % are allowed. "
        f"All adapters at fp32 take {advice.reference.ms:.1f} ms."
    )
