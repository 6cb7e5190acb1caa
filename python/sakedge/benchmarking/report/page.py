"""Puts records into the templates of their pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sakedge.benchmarking.comparison import FEWEST, Comparison, sentence
from sakedge.benchmarking.plan import pause_text
from sakedge.benchmarking.record import Record, Results, Soak
from sakedge.benchmarking.report import compared, figures, glance
from sakedge.benchmarking.report.soaking import soaking
from sakedge.evaluating.report.rendering import templates
from sakedge.files.atomic import atomic_write
from sakedge.files.targets import followed

_HERE = Path(__file__).parent


def write_record(record: Record, path: Path) -> None:
    """Writes the page of one record.

    Raises:
        StorageError: It cannot be written.
    """
    _write(path, render_record(record))


def write_comparison(found: Comparison, names: tuple[str, str], path: Path) -> None:
    """Writes the page of two records.

    Args:
        found: What was found.
        names: Of the two files.
        path: The page.

    Raises:
        StorageError: It cannot be written.
    """
    _write(path, render_comparison(found, names))


def render_record(record: Record) -> str:
    """The page of one record, as text."""
    results = record.results
    drawn = []
    if results is not None:
        drawn += [figures.waiting([record], ["this machine"]), figures.processes(record)]
        drawn += [figures.callers(results)] if len(results.streams) > 1 else []
        drawn += [figures.pauses(results)] if results.pauses else []
        drawn += [figures.stages(results)]
    return (
        templates(_HERE)
        .get_template("record.html")
        .render(
            record=record,
            answers=glance.answers(record),
            disturbance=glance.disturbance(record),
            drawn=drawn,
            pauses=[] if results is None else _pauses(results),
            soak=None if record.soak is None else soaking(record.soak),
            trends=[] if record.soak is None else _trends(record.soak),
            soak_time=""
            if record.soak is None
            else glance.duration(60_000 * record.soak.measured_minutes),
            **_about(record),
        )
    )


def render_comparison(found: Comparison, names: tuple[str, str]) -> str:
    """The page of two records, as text."""
    sides = (found.before, found.after)
    return (
        templates(_HERE)
        .get_template("comparison.html")
        .render(
            found=found,
            names=names,
            rows=[(row, sentence(row)) for row in found.rows],
            answers=list(zip(*(glance.answers(side) for side in sides), strict=False)),
            disturbances=[glance.disturbance(side) for side in sides],
            ratios=compared.ratios(found),
            waiting=figures.waiting(sides, ["A", "B"]),
            sides=[_about(side) for side in sides],
            fewest=FEWEST,
        )
    )


def _about(record: Record) -> dict[str, Any]:
    """What the machine, the student and the measurement were: names with what they are."""
    student, options = record.student, record.options
    size = " x ".join(map(str, student.get("input_size", ())))
    return {
        "machine": glance.machine(record),
        "facts": {
            "machine": glance.machine(record),
            "memory": _gib(record.device.memory_bytes),
            "power mode": glance.mode(record),
            "system": record.device.system,
            "student": f"{student.get('path')}, {size}, SHA-256 {student.get('digest')}",
            "tasks": ", ".join(student.get("tasks", ())),
            "adapters": ", ".join(student.get("adapters", ())) or "none",
            "runs in": f"{student.get('model')} model, {student.get('backend')}, "
            f"{student.get('precision')} (stem {student.get('stem_precision')}), "
            f"{student.get('threads')} threads, instruction set {student.get('isa')}",
            "measured": f"{record.taken}, {options.rounds} processes of {options.duration_s:g} s, "
            f"{options.batch} image{'s' if options.batch > 1 else ''} a call",
            "before": f"load average {record.environment.load_average_before}",
            "versions": ", ".join(f"{k} {v}" for k, v in record.software.versions.items()),
        },
    }


def _pauses(results: Results) -> list[tuple[str, str, str, str]]:
    rows = []
    for each in results.pauses:
        ratio = each.ratio
        shown = f"{each.latency_ms.median / results.latency_ms.median:.2f} times"
        if ratio is not None:
            shown = f"{ratio.value:.2f} times ({ratio.low:.2f} to {ratio.high:.2f})"
        latency = each.latency_ms
        typical, slow = (glance.duration(ms) for ms in (latency.median, latency.p95))
        rows.append((pause_text(each.pause_s), typical, slow, shown))
    return rows


def _trends(soak: Soak) -> list[tuple[str, float, float, float, str]]:
    """What changed by how much over all windows that are judged, and what to think of it."""
    first, last = soak.windows[soak.settled_from], soak.windows[-1]
    hours = (last.start_s - first.start_s) / 3600
    found = []
    for name, slope in (("Speed", soak.throughput), ("Memory", soak.memory)):
        if slope is None:
            continue
        if slope.sure:
            words = "a trend"
        elif slope.low <= 0 <= slope.high:
            words = "no trend that could be told from noise"
        else:
            words = "too little to matter"
        ends = (slope.percent_in_all, slope.low * hours, slope.high * hours)
        found.append((name, *ends, words))
    return found


def _gib(amount: int | None) -> str:
    return "not known" if amount is None else f"{amount / 2**30:.1f} GiB"


def _write(path: Path, page: str) -> None:
    with atomic_write(followed(path)) as file:
        file.write(page.encode())
