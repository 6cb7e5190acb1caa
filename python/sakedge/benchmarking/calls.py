"""Calls that are timed: back to back by one caller or several, and each after a pause."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from sakedge.benchmarking.hardware.cpu_time import CpuTime
from sakedge.benchmarking.record import Caller, PauseRun, StreamsRun
from sakedge.runtime.threads import processors

Call = Callable[[int], Mapping[str, float]]
"""Computes the n-th batch and returns the milliseconds of its stages, an image's share."""
Tell = Callable[[float], None]
"""Called with the share done."""

_FEWEST = 10
_FEWEST_PAUSED, _MOST_PAUSED = 5, 200


@dataclass
class _Own:
    """What one caller measures."""

    samples: list[float] = field(default_factory=list)
    stages: list[Mapping[str, float]] = field(default_factory=list)
    failure: BaseException | None = None


def timed(call: Call, number: int, own: _Own | None = None) -> float:
    """Milliseconds of one call; keeps them and the stages' where asked for."""
    start = time.perf_counter()
    stages = call(number)
    spent = 1000 * (time.perf_counter() - start)
    if own is not None:
        own.samples.append(round(spent, 4))
        own.stages.append(stages)
    return spent


def run_streams(
    call: Call,
    streams: int,
    batch: int,
    iterations: int | None,
    duration: float,
    tell: Tell,
) -> tuple[StreamsRun, list[Mapping[str, float]]]:
    """Lets some callers call one student at once, each as soon as it has its result.

    Args:
        call: The call.
        streams: How many callers.
        batch: Images in a call.
        iterations: Calls of each; None is as many as fit into `duration`, at least 10.
        duration: Seconds.
        tell: Called with the share done.

    Returns:
        What was measured, and the stages of each call.
    """
    callers = [_Own() for _ in range(streams)]
    gate = threading.Barrier(streams)
    begun = CpuTime.now()

    def work(number: int) -> None:
        own = callers[number]
        try:
            gate.wait()
            while _goes_on(len(own.samples), begun.at, iterations, duration):
                timed(call, number + streams * len(own.samples), own)
                if number == 0:
                    tell(_share(len(own.samples), begun.at, iterations, duration))
        except BaseException as error:
            own.failure = error
            gate.abort()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(1, streams)]
    for thread in threads:
        thread.start()
    work(0)
    for thread in threads:
        thread.join()
    ended = CpuTime.now()
    for own in callers:
        if own.failure is not None and not isinstance(own.failure, threading.BrokenBarrierError):
            raise own.failure
    images = batch * sum(len(own.samples) for own in callers)
    used = ended.since(begun)
    run = StreamsRun(
        streams=streams,
        seconds=round(used.seconds, 6),
        images=images,
        cpu_ms_per_image=round(1000 * used.own / images, 4),
        others_cpu=_rounded(used.others),
        waiting_threads=_rounded(used.waiting),
        delayed=_rounded(used.delayed(processors().usable)),
        callers=tuple(Caller(samples_ms=tuple(own.samples)) for own in callers),
    )
    return run, [each for own in callers for each in own.stages]


def run_pauses(call: Call, pause: float, duration: float, tell: Tell) -> PauseRun:
    """Calls again and again after a pause, in which this process sleeps.

    As many calls as fit into `duration`, at least 5 and at most 200: a line that is triggered by
    parts sleeps between them just so.
    """
    own = _Own()
    count = int(min(max(duration / pause, _FEWEST_PAUSED), _MOST_PAUSED))
    for number in range(count):
        time.sleep(pause)
        timed(call, number, own)
        tell((number + 1) / count)
    return PauseRun(
        pause_s=pause, samples_ms=tuple(own.samples), stages_ms=median_stages(own.stages)
    )


def median_stages(laps: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The median of each stage over some calls; at least one."""
    return {name: round(median(lap[name] for lap in laps), 4) for name in laps[0]}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _goes_on(done: int, begun: float, iterations: int | None, duration: float) -> bool:
    if iterations is not None:
        return done < iterations
    return done < _FEWEST or time.perf_counter() - begun < duration


def _share(done: int, begun: float, iterations: int | None, duration: float) -> float:
    if iterations is not None:
        return done / iterations
    return min(1.0, done / _FEWEST, (time.perf_counter() - begun) / duration)
