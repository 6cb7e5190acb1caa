"""Figures of a record: how long parts wait, callers, pauses, and how alike the processes were."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sakedge.benchmarking.plan import pause_text
from sakedge.benchmarking.record import Record, Results
from sakedge.benchmarking.results import median_ms, run_of
from sakedge.evaluating.report.canvas import BAD, FAINT, GOOD, INK, canvas, colour

_BINS = 40


def samples(record: Record) -> list[float]:
    """Milliseconds of every call of one caller."""
    return [ms for each in record.rounds for ms in run_of(each, 1).callers[0].samples_ms]


def waiting(records: Sequence[Record], names: Sequence[str]) -> str:
    """How many parts waited how long; the slowest one of a hundred is where the axis ends."""
    values = [np.array(samples(record)) for record in records]
    low = min(float(each.min()) for each in values)
    high = max(float(np.quantile(each, 0.99)) for each in values)
    high = max(1.05 * high, 1.01 * low)
    bins = np.linspace(0.97 * low, high, _BINS)
    with canvas(6.4, 2.9) as drawn:
        axes = drawn[0]
        for i, (each, name) in enumerate(zip(values, names, strict=True)):
            ink = GOOD if i == 0 else BAD
            weights = np.full(each.size, 100 / each.size)
            axes.hist(each, bins.tolist(), weights=weights, color=ink, alpha=0.55, label=name)
            axes.axvline(float(np.median(each)), color=ink, lw=1.5)
        axes.set_xlabel("milliseconds that a part waits for its result (the line: half of them)")
        axes.set_ylabel("of 100 parts")
        axes.set_title("How long parts wait")
        if len(records) > 1:
            axes.legend(fontsize=8)
    return drawn.svg


def processes(record: Record) -> str:
    """The median of each fresh process: how much luck there is in starting one."""
    medians = [median_ms(run_of(each, 1)) for each in record.rounds]
    numbers = range(1, len(medians) + 1)
    with canvas(4.4, 2.9) as drawn:
        axes = drawn[0]
        axes.plot(numbers, medians, "o", color=GOOD)
        axes.axhline(float(np.median(medians)), color=FAINT, lw=0.8, ls=":")
        axes.set_xticks(list(numbers) if len(medians) <= 12 else [1, len(medians)])
        axes.set_ylim(0, 1.25 * max(medians))
        axes.set_xlabel("start of the program")
        axes.set_ylabel("milliseconds, typical part")
        axes.set_title("Started again, as fast?")
    return drawn.svg


def callers(results: Results) -> str:
    """Parts a minute and the wait, by the number of callers."""
    names = [str(each.streams) for each in results.streams]
    at = range(len(names))
    with canvas(6.4, 2.7, 1, 2) as drawn:
        rates = [60 * each.throughput for each in results.streams]
        drawn[0].bar(at, rates, color=GOOD, width=0.6)
        for i, rate in enumerate(rates):
            place = ((i, rate), (0, 3), "data", "offset points")
            drawn[0].annotate(f"{rate:.0f}", *place, ha="center")
        drawn[0].set(ylabel="parts a minute", title="More callers, more parts?")
        drawn[0].margins(y=0.15)
        typical = [each.latency_ms.median for each in results.streams]
        slow = [each.latency_ms.p99 for each in results.streams]
        drawn[1].plot(at, slow, "v--", color=BAD, label="slowest of 100")
        drawn[1].plot(at, typical, "o-", color=GOOD, label="typical")
        drawn[1].set(ylabel="milliseconds a part waits", title="… and the wait", ylim=(0, None))
        drawn[1].legend(fontsize=8)
        for axes in drawn.axes.flat:
            axes.set_xticks(list(at), names)
            axes.set_xlabel("cameras or callers at once")
    return drawn.svg


def pauses(results: Results) -> str:
    """The wait after a pause, against that without one."""
    names = ["none", *(pause_text(each.pause_s) for each in results.pauses)]
    kinds = [results.latency_ms, *(each.latency_ms for each in results.pauses)]
    at = range(len(names))
    with canvas(6.4, 2.9) as drawn:
        axes = drawn[0]
        typical = [each.median for each in kinds]
        fast, slow = [each.min for each in kinds], [each.p95 for each in kinds]
        axes.vlines(at, fast, slow, color=colour(0, 3), lw=5, alpha=0.3)
        axes.plot(at, typical, "o-", color=GOOD, label="typical; 19 of 20 lie within the bar")
        axes.axhline(typical[0], color=FAINT, lw=0.8, ls=":")
        axes.set_xticks(list(at), names)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("pause before the part arrives")
        axes.set_ylabel("milliseconds it waits")
        axes.set_title("Parts that come one by one")
        axes.legend(fontsize=8, loc="lower right")
    return drawn.svg


def stages(results: Results) -> str:
    """Where the time goes."""
    names, values = list(results.stages_ms), list(results.stages_ms.values())
    with canvas(4.4, 2.9) as drawn:
        axes = drawn[0]
        axes.barh(range(len(names)), values, color=GOOD, height=0.6)
        for i, value in enumerate(values):
            place = ((value, i), (3, 0), "data", "offset points")
            axes.annotate(f"{value:.1f}", *place, va="center", color=INK)
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.margins(x=0.15)
        axes.set_xlabel("milliseconds of a typical part")
        axes.set_title("Where the time goes")
    return drawn.svg
