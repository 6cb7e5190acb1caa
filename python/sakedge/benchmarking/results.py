"""What several rounds give together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from statistics import median

from sakedge.benchmarking.latency import Latency
from sakedge.benchmarking.ranks import ratio
from sakedge.benchmarking.record import (
    Drift,
    EnergyResult,
    Memory,
    PauseResult,
    PauseRun,
    Ratio,
    Results,
    Round,
    StreamsResult,
    StreamsRun,
)

LEVEL = 0.99
"""Of every interval. With five rounds of each side one leaves out 1 when they do not overlap."""


def results_of(rounds: Sequence[Round], idle_watts: float | None = None) -> Results:
    """Puts rounds of one plan together; at least one.

    Args:
        rounds: What each process measured.
        idle_watts: Of the machine before it did anything.
    """
    alone = [run_of(each, 1) for each in rounds]
    calls = [ms for run in alone for ms in run.callers[0].samples_ms]
    streams = tuple(
        _streams([run_of(each, run.streams) for each in rounds]) for run in rounds[0].streams
    )
    pauses = tuple(
        _pause([each.pauses[i] for each in rounds], alone) for i in range(len(rounds[0].pauses))
    )
    return Results(
        total_number_of_iterations=len(calls),
        total_execution_time_ms=round(1000 * sum(run.seconds for run in alone), 2),
        latency_ms=Latency.of(calls),
        throughput=streams[0].throughput,
        stages_ms=_stages([each.stages_ms for each in rounds]),
        read_model_ms=middle([each.read_model_ms for each in rounds]),
        compile_model_ms=middle([each.compile_model_ms for each in rounds]),
        decoder_ms=middle([each.decoder_ms for each in rounds]),
        first_inference_ms=middle([each.first_inference_ms for each in rounds]),
        memory=Memory(
            loaded=_bytes(rounds, lambda memory: memory.loaded),
            peak=_bytes(rounds, lambda memory: memory.peak),
            own=_bytes(rounds, lambda memory: memory.own),
        ),
        streams=streams,
        pauses=pauses,
        energy=_energy(rounds, idle_watts),
        drift=drift(rounds),
    )


def run_of(one: Round, streams: int) -> StreamsRun:
    """The run of a round with so many callers."""
    return next(run for run in one.streams if run.streams == streams)


def median_ms(run: StreamsRun) -> float:
    """The median latency of all callers of a run."""
    return median(chain.from_iterable(caller.samples_ms for caller in run.callers))


def middle(values: Sequence[float]) -> float:
    """Their median, rounded to 0.1 µs."""
    return round(median(values), 4)


def _streams(runs: Sequence[StreamsRun]) -> StreamsResult:
    pooled = [ms for run in runs for caller in run.callers for ms in caller.samples_ms]
    callers = zip(*(run.callers for run in runs), strict=True)
    return StreamsResult(
        streams=runs[0].streams,
        throughput=round(sum(run.images for run in runs) / sum(run.seconds for run in runs), 4),
        latency_ms=Latency.of(pooled),
        latency_per_stream_ms=tuple(
            middle([ms for caller in each for ms in caller.samples_ms]) for each in callers
        ),
    )


def _pause(runs: Sequence[PauseRun], alone: Sequence[StreamsRun]) -> PauseResult:
    """The medians of each round against those of its own calls back to back."""
    pooled = [ms for run in runs for ms in run.samples_ms]
    found = ratio(
        [median_ms(run) for run in alone], [median(run.samples_ms) for run in runs], LEVEL
    )
    return PauseResult(
        pause_s=runs[0].pause_s,
        latency_ms=Latency.of(pooled),
        stages_ms=_stages([run.stages_ms for run in runs]),
        ratio=None if found is None else Ratio(value=found.value, low=found.low, high=found.high),
    )


def _stages(each_round: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {stage: middle([each[stage] for each in each_round]) for stage in each_round[0]}


def _bytes(rounds: Sequence[Round], of: Callable[[Memory], int | None]) -> int | None:
    known = [amount for each in rounds if (amount := of(each.memory)) is not None]
    return round(median(known)) if known else None


def _energy(rounds: Sequence[Round], idle_watts: float | None) -> EnergyResult | None:
    known = [each.energy for each in rounds if each.energy is not None]
    watts = [each.watts for each in known if each.watts is not None]
    joules = [each.joules_per_image for each in known if each.joules_per_image is not None]
    if not watts or not joules or known[0].covers is None:
        return None
    return EnergyResult(
        covers=known[0].covers,
        watts=middle(watts),
        idle_watts=idle_watts,
        joules_per_image=round(median(joules), 6),
    )


def drift(rounds: Sequence[Round]) -> Drift:
    """What became of clocks and heat from the first look to the last."""
    first, last = rounds[0].before, rounds[-1].after
    clocks = None
    if first.cpu_mhz is not None and last.cpu_mhz is not None:
        clocks = round(100 * (last.cpu_mhz.mean / first.cpu_mhz.mean - 1), 2)
    throttled = None
    if first.throttle_events is not None and last.throttle_events is not None:
        throttled = last.throttle_events - first.throttle_events
    return Drift(
        cpu_mhz_percent=clocks,
        hottest_before_c=first.hottest_c,
        hottest_after_c=last.hottest_c,
        throttle_events=throttled,
    )
