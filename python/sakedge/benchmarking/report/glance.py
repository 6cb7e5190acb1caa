"""What a buyer asks, answered in words: parts a minute, the longest wait, warmth, watts."""

from __future__ import annotations

from dataclasses import dataclass

from sakedge.benchmarking.hardware.cpu_time import NOTICEABLE
from sakedge.benchmarking.record import Record, Results, Soak
from sakedge.benchmarking.results import run_of

_ENOUGH = 100
"""Calls from which on the slowest of a hundred can be named."""
_WARM = 10
"""Minutes after which a box is as warm as it gets, or nearly."""


@dataclass(frozen=True)
class Answer:
    """A question, its answer in a few characters, and what stands behind it."""

    question: str
    answer: str
    note: str


def answers(record: Record) -> list[Answer]:
    """Of a record what it can answer; also what it cannot, with the reason."""
    found = []
    if record.results is not None:
        found += _speed(record.results)
        found.append(_restart(record.results))
    found.append(_warm(record))
    found.append(_power(record))
    if record.results is not None:
        found.append(_memory(record.results))
    return found


def disturbance(record: Record) -> float | None:
    """The largest share of the time that other programs can have cost, if it is worth saying."""
    shares = [run_of(each, 1).delayed for each in record.rounds]
    most = max((share for share in shares if share is not None), default=None)
    return most if most is not None and most > NOTICEABLE else None


def machine(record: Record) -> str:
    """The machine in one line."""
    device = record.device
    virtual = ", a virtual machine" if device.virtual else ""
    board = f"{device.board}, " if device.board else ""
    return f"{board}{device.cpu}, {device.processors.usable} processors used{virtual}"


def mode(record: Record) -> str:
    """The power mode in one line."""
    told = record.power_mode.model_dump()
    words = [f"{k.replace('_', ' ')} {v}" for k, v in told.items() if isinstance(v, str)]
    if record.power_mode.turbo is not None:
        words.append(f"turbo {'on' if record.power_mode.turbo else 'off'}")
    return ", ".join(words) or "not known: the system does not say"


def _speed(results: Results) -> list[Answer]:
    best = max(results.streams, key=lambda each: each.throughput)
    rate = 60 * results.throughput
    more = "one after the other"
    if best.streams > 1 and best.throughput > 1.05 * results.throughput:
        more += f"; up to {60 * best.throughput:.0f} with {best.streams} callers at once"
    latency = results.latency_ms
    slowest = (
        f"99 of 100 wait no longer than {duration(latency.p99)}"
        if latency.samples >= _ENOUGH
        else f"of only {latency.samples} measured"
    )
    return [
        Answer("How many parts a minute?", f"{rate:.0f}", more),
        Answer("How long does a part wait?", duration(latency.median), "typically: half wait less"),
        Answer("… and at worst?", duration(latency.max), f"the longest measured; {slowest}"),
    ]


def _restart(results: Results) -> Answer:
    loading = results.read_model_ms + results.compile_model_ms + results.decoder_ms
    whole = loading + results.first_inference_ms
    return Answer(
        "How soon is it ready?",
        duration(whole),
        f"after a start: {duration(loading)} loading, {duration(results.first_inference_ms)} "
        "for the first part",
    )


def _warm(record: Record) -> Answer:
    question = "Does it hold when warm?"
    soak: Soak | None = record.soak
    if soak is None:
        return Answer(question, "not tested", "measure with --soak 30")
    words = {True: "yes", False: "no", None: "cannot tell"}[soak.steady]
    said = [f"after {duration(60_000 * soak.measured_minutes)}", *soak.verdict]
    if soak.steady and soak.measured_minutes < _WARM:
        words = "so far"
        said.append("too short to be warm: measure with --soak 30")
    return Answer(question, words, "; ".join(said))


def _power(record: Record) -> Answer:
    question = "What does it need?"
    energy = None if record.results is None else record.results.energy
    if energy is None:
        return Answer(question, "not known", record.missing.get("energy", "no counter was read"))
    idle = "" if energy.idle_watts is None else f", {energy.idle_watts:.1f} W idle"
    return Answer(
        question,
        f"{energy.watts:.1f} W",
        f"{energy.covers}{idle}; {energy.joules_per_image:.2f} J a part",
    )


def _memory(results: Results) -> Answer:
    peak = results.memory.peak
    if peak is None:
        return Answer("How much memory?", "not known", "the system does not say")
    return Answer("How much memory?", f"{peak / 2**20:.0f} MiB", "at its peak")


def duration(ms: float) -> str:
    """Milliseconds as a person says them."""
    if ms >= 120_000:
        return f"{ms / 60_000:.0f} minutes"
    if ms >= 10_000:
        return f"{ms / 1000:.0f} s"
    if ms >= 1000:
        return f"{ms / 1000:.1f} s"
    return f"{ms:.0f} ms" if ms >= 100 else f"{ms:.1f} ms"
