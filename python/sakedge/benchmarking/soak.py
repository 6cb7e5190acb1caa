"""A long run in one process: what heat and time do to speed, memory and clocks.

Windows are cut so that some sixty of them span the soak. Each has its median latency, throughput,
memory, temperatures and clocks. A trend is Sen's slope over the windows after the first tenth, in
which a machine warms up and allocators settle; it counts where its interval leaves out zero and it
is large enough to matter.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from sakedge.arguments import in_range
from sakedge.benchmarking.calls import timed
from sakedge.benchmarking.hardware.cpu_time import NOTICEABLE, CpuTime
from sakedge.benchmarking.hardware.energy import EnergyMeter
from sakedge.benchmarking.hardware.state import read_state
from sakedge.benchmarking.hardware.sysfs import Gaps
from sakedge.benchmarking.latency import Latency
from sakedge.benchmarking.one_round import Loaded, Request, loaded
from sakedge.benchmarking.ranks import slope
from sakedge.benchmarking.record import Slope, Soak, Window
from sakedge.progress import Progress
from sakedge.runtime import machine
from sakedge.runtime.threads import processors

_WINDOWS = 60
_SHORTEST = 1.0
"""Seconds of a window."""
_SETTLING = 10
"""One of so many windows is left to settle."""
_LEVEL = 0.99
"""Of a slope's interval: three trends are looked at, and none should be found by chance."""
SPEED_MATTERS, MEMORY_MATTERS = 2.0, 1.0
"""Per cent over the whole soak, from which on a trend is named."""
_TOO_NOISY = 5.0
"""Per cent over the whole soak that an interval may reach where steadiness is claimed."""
_HOUR = 3600.0


def run_soak(
    request: Request, minutes: float, gaps: Gaps, progress: Progress
) -> tuple[Soak, Mapping[str, Any]]:
    """Calls for so long; an interrupt (Ctrl-C) ends it with what was measured.

    Args:
        request: Student, images and options.
        minutes: How long.
        gaps: Gets the reason of each reading that is missing.
        progress: Called with the progress made.

    Returns:
        The soak, and `student.explain()`.

    Raises:
        OptionError: The time is out of range.
        SakedgeError: The student or an image cannot be used.
    """
    in_range("soak", minutes, above=0, high=60 * 24 * 14)
    total = 60 * minutes
    length = max(_SHORTEST, total / _WINDOWS)
    windows: list[Window] = []
    with loaded(request, progress) as ready:
        begun = time.perf_counter()
        interrupted = False
        try:
            while time.perf_counter() - begun < total - length / 2:
                windows.append(_window(ready, request.plan.batch, length, begun, gaps))
                share = (time.perf_counter() - begun) / total
                progress(_step(windows), min(1.0, share))
        except KeyboardInterrupt:
            interrupted = True
            if not windows:
                raise
    return judged(windows, minutes, interrupted), ready.explanation


def judged(windows: Sequence[Window], minutes: float, interrupted: bool) -> Soak:
    """Puts a verdict to the windows; at least one."""
    settled = len(windows) // _SETTLING
    kept = windows[settled:]
    at = [each.start_s + each.seconds / 2 for each in kept]
    latency = _slope(at, [each.latency_ms.median for each in kept], SPEED_MATTERS)
    throughput = _slope(at, [each.throughput for each in kept], SPEED_MATTERS)
    resident = [each.resident_bytes for each in kept]
    known = [float(each) for each in resident if each is not None]
    memory = _slope(at, known, MEMORY_MATTERS) if len(known) == len(at) else None
    hours = (at[-1] - at[0]) / _HOUR
    verdict = _verdict(latency, memory, windows, hours)
    return Soak(
        asked_minutes=minutes,
        measured_minutes=round((windows[-1].start_s + windows[-1].seconds) / 60, 3),
        interrupted=interrupted,
        windows=tuple(windows),
        settled_from=settled,
        throughput=throughput,
        latency=latency,
        memory=memory,
        verdict=verdict[1],
        steady=verdict[0],
    )


def _window(ready: Loaded, batch: int, length: float, begun: float, gaps: Gaps) -> Window:
    samples: list[float] = []
    with EnergyMeter(gaps) as meter:
        then = CpuTime.now()
        while not samples or time.perf_counter() - then.at < length:
            samples.append(timed(ready.call, len(samples)))
        used = CpuTime.now().since(then)
    total = meter.total
    return Window(
        start_s=round(then.at - begun, 3),
        seconds=round(used.seconds, 6),
        images=batch * len(samples),
        latency_ms=Latency.of(samples),
        throughput=round(batch * len(samples) / used.seconds, 4),
        resident_bytes=machine.resident(),
        state=read_state(gaps),
        watts=None if total is None else round(total.watts, 3),
        delayed=used.delayed(processors().usable),
    )


def _slope(at: Sequence[float], values: Sequence[float], matters: float) -> Slope | None:
    found = slope(at, values, _LEVEL)
    if found is None:
        return None
    level = sorted(values)[len(values) // 2]
    hourly = 100 * _HOUR / level
    in_all = 100 * found.value * (at[-1] - at[0]) / level
    is_sure = (found.low > 0 or found.high < 0) and abs(in_all) >= matters
    return Slope(
        percent_per_hour=round(found.value * hourly, 3),
        low=round(found.low * hourly, 3),
        high=round(found.high * hourly, 3),
        percent_in_all=round(in_all, 3),
        sure=is_sure,
    )


def _verdict(
    latency: Slope | None, memory: Slope | None, windows: Sequence[Window], hours: float
) -> tuple[bool | None, tuple[str, ...]]:
    """Whether nothing moved, and sentences; None where that cannot be told."""
    if latency is None:
        return None, ("too short to tell: fewer than 8 windows after settling",)
    steady: bool | None = True
    found = []
    if latency.sure:
        steady = False
        way = "slower" if latency.percent_in_all > 0 else "faster"
        found.append(
            f"drifts: calls became {abs(latency.percent_in_all):.1f} % {way} in all "
            f"({latency.percent_per_hour:+.1f} % an hour)"
        )
        shares = sorted(each.delayed for each in windows if each.delayed is not None)
        if shares and shares[len(shares) // 2] > NOTICEABLE:
            steady = None
            found.append("but other programs ran meanwhile, and it may be theirs")
    if memory is not None and memory.sure and memory.percent_in_all > 0:
        steady = False
        found.append(
            f"memory grows: by {memory.percent_in_all:.1f} % in all "
            f"({memory.percent_per_hour:+.1f} % an hour)"
        )
    first, last = windows[0].state.throttle_events, windows[-1].state.throttle_events
    if first is not None and last is not None and last > first:
        steady = False
        found.append(f"throttled for heat: {last - first} times")
    hidden = hours * max(abs(latency.low), abs(latency.high))
    if not found and hidden > _TOO_NOISY:
        return None, (f"too noisy to tell: a change by {hidden:.0f} % in all would not show",)
    return steady, tuple(found) or ("steady: no trend in speed or memory beyond noise",)


def _step(windows: Sequence[Window]) -> str:
    last = windows[-1]
    hottest = last.state.hottest_c
    heat = "" if hottest is None else f", {hottest:.0f} °C"
    return f"soak, {last.throughput:.3g} images/s{heat}"
