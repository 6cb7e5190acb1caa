"""The figure of a soak: speed, heat, clocks, watts and memory over time."""

from __future__ import annotations

from collections.abc import Callable

from sakedge.benchmarking.record import Soak, Window
from sakedge.evaluating.report.canvas import BAD, FAINT, GOOD, canvas


def _clock(each: Window) -> float | None:
    return None if each.state.cpu_mhz is None else each.state.cpu_mhz.mean


def _memory(each: Window) -> float | None:
    return None if each.resident_bytes is None else each.resident_bytes / 2**20


_CURVES: tuple[tuple[str, Callable[[Window], float | None]], ...] = (
    ("parts a minute", lambda each: 60 * each.throughput),
    ("ms, typical part", lambda each: each.latency_ms.median),
    ("hottest sensor, °C", lambda each: each.state.hottest_c),
    ("clock, MHz", _clock),
    ("watts", lambda each: each.watts),
    ("memory, MiB", _memory),
)


def soaking(soak: Soak) -> str:
    """A curve for each thing that was measured; what settled first is grey."""
    at = [(each.start_s + each.seconds / 2) / 60 for each in soak.windows]
    curves = [(name, [of(each) for each in soak.windows]) for name, of in _CURVES]
    shown = [(name, values) for name, values in curves if any(v is not None for v in values)]
    settled = at[soak.settled_from] if soak.settled_from else 0
    with canvas(9.6, 1.55 * len(shown) + 0.4, len(shown), 1) as drawn:
        for axes, (name, values) in zip(drawn.axes.flat, shown, strict=True):
            known = [(t, v) for t, v in zip(at, values, strict=True) if v is not None]
            axes.plot(*zip(*known, strict=True), "o-", ms=3, lw=1, color=GOOD)
            axes.axvspan(0, settled, color=FAINT, alpha=0.12)
            top = max(v for _, v in known)
            axes.set_ylim(0, 1.15 * top if top > 0 else 1)
            axes.set_ylabel(name)
            axes.set_xlim(0, max(at) * 1.02)
        drawn.axes.flat[0].set_title("Over time (grey: it settles, not judged; red: throttled)")
        drawn.axes.flat[-1].set_xlabel("minutes since the start")
        throttled = [each.state.throttle_events for each in soak.windows]
        for before, after, when in zip(throttled, throttled[1:], at[1:], strict=False):
            if before is not None and after is not None and after > before:
                for axes in drawn.axes.flat:
                    axes.axvline(when, color=BAD, lw=0.7)
    return drawn.svg
