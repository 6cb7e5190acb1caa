"""The figure of a comparison: how much more or less B has than A, with its interval."""

from __future__ import annotations

from sakedge.benchmarking.comparison import Comparison
from sakedge.evaluating.report.canvas import BAD, FAINT, GOOD, canvas

_INKS = {True: BAD, False: GOOD}
_TICKS = (
    *(0.01, 0.02, 0.05, 0.1, 0.2, 0.33, 0.5, 0.67, 0.8, 0.9, 1.0),
    *(1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0),
)


def ratios(found: Comparison) -> str:
    """One line a figure; grey where nothing beyond noise was found."""
    rows = [row for row in found.rows if row.ratio is not None]
    if not rows:
        return ""
    with canvas(8.4, 0.42 * len(rows) + 1.1) as drawn:
        axes = drawn[0]
        for i, row in enumerate(rows):
            assert row.ratio is not None
            ink = _INKS[row.is_worse] if row.verdict == "differs" else FAINT
            axes.plot([row.ratio.low, row.ratio.high], [i, i], color=ink, lw=3)
            axes.plot([row.ratio.value], [i], "o", color=ink)
        axes.axvline(1, color=FAINT, lw=0.8)
        axes.set_xscale("log")
        ends = [end for row in rows if row.ratio for end in (row.ratio.low, row.ratio.high, 1)]
        least, most = min(ends), max(ends)
        ticks = [t for t in _TICKS if least / 1.3 <= t <= most * 1.3]
        axes.set_xticks(ticks, [f"{t:g}" for t in ticks], minor=False)
        axes.set_xticks([], minor=True)
        axes.set_yticks(range(len(rows)), [row.what for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel("B over A, 1 is the same; blue: B is better, red: worse, grey: noise")
        axes.set_title("What differs")
    return drawn.svg
