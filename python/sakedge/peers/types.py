"""What a comparison consists of; all of it round-trips through JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

DECODED = "decoded"
"""From normalised images to what a user gets: label maps, probabilities, unit vectors."""
LOGITS = "logits"
"""From normalised images to logits at the input size: all that a stock runtime gives."""

Logits = Mapping[str, "NDArray[np.float32] | Sequence[NDArray[np.float32]]"]
"""By task, for each image float32 [classes, H, W]; in one array or apart, as they come."""


@dataclass(frozen=True)
class Contestant:
    """A runtime at one precision.

    Attributes:
        name: E.g. `sakedge` or `openvino`.
        precision: `fp32`, `bf16` or `int8`.
        runner: `module:function` that the fresh process calls with its `Request`; returns a
            `Prepared`.
        options: For the runner.
        rounds: Rounds that it takes part in; None is all of them.
        exported: Whether it runs the student as `sakedge.export` writes it, not the file itself.
    """

    name: str
    precision: str
    runner: str
    options: Mapping[str, Any] = field(default_factory=dict)
    rounds: int | None = None
    exported: bool = False

    @property
    def label(self) -> str:
        """Unique in a race."""
        return f"{self.name} {self.precision}"


@dataclass(frozen=True)
class Plan:
    """How to measure.

    Attributes:
        threads: Threads of each contestant.
        batch: Images in one call.
        rounds: Fresh processes of each contestant.
        warmup: Calls in each process that are not timed, at least; short ones are repeated for a
            quarter of `seconds`.
        calls: Timed calls in each process, at least.
        seconds: And as many more as fit into this time.
    """

    threads: int
    batch: int = 1
    rounds: int = 5
    warmup: int = 1
    calls: int = 2
    seconds: float = 2.0


@dataclass(frozen=True)
class Request:
    """What a fresh process is asked to do.

    Attributes:
        student: The file.
        contestant: What to run.
        plan: How to measure.
        reference: An .npz of logits to compare with.
        save: Where to save the logits instead of measuring.
    """

    student: str
    contestant: Contestant
    plan: Plan
    reference: str | None = None
    save: str | None = None


@dataclass(frozen=True)
class Ran:
    """One call's outcome: logits where there are any, and milliseconds by stage where known."""

    logits: Logits | None = None
    stages_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Prepared:
    """A loaded contestant.

    Attributes:
        measures: What to time, `decoded` and `logits` or one of them, each called with normalised
            images, float32 [batch, 3, H, W].
        details: What ran: versions, instruction set, settings.
    """

    measures: Mapping[str, Callable[[NDArray[np.float32]], Ran]]
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Memory:
    """Bytes of a whole process; None where the system does not report it.

    Attributes:
        peak: Most that was resident at once (VmHWM), pages of mapped files and of shared
            libraries included.
        anonymous: Most that was the process's own at once (RssAnon, sampled while it loads and
            warms up): what cannot be dropped and read again.
    """

    peak: int | None
    anonymous: int | None


@dataclass(frozen=True)
class Sample:
    """One process's outcome.

    Attributes:
        load_ms: From the file to a contestant that can run.
        ms: By measure, the median of the timed calls.
        calls: By measure, how many those were.
        stages_ms: By measure and stage, the median.
        memory: By measure, until and with the warm-up of that measure; `decoded` comes first.
        error: Largest difference of a logit from stock ONNX Runtime's, relative to the range of
            its task; None if nothing was compared.
        details: What ran.
    """

    load_ms: float
    ms: Mapping[str, float]
    calls: Mapping[str, int]
    stages_ms: Mapping[str, Mapping[str, float]]
    memory: Mapping[str, Memory]
    error: float | None
    details: Mapping[str, Any]


@dataclass(frozen=True)
class Ratio:
    """One contestant's time over another's, pair by pair: the median, the least and the most."""

    median: float
    low: float
    high: float
    pairs: int


@dataclass(frozen=True)
class Race:
    """What a comparison found.

    Attributes:
        student: The file.
        digest: The student's content digest.
        plan: How it was measured.
        contestants: Ours first.
        samples: By label, one per round; None where one did not take part.
        refused: By label, why a contestant could not run.
        machine: CPU, instruction sets, processors, versions.
    """

    student: str
    digest: str
    plan: Plan
    contestants: Sequence[Contestant]
    samples: Mapping[str, Sequence[Sample | None]]
    refused: Mapping[str, str]
    machine: Mapping[str, Any]

    @property
    def ours(self) -> Contestant:
        """The contestant that the others are compared with."""
        return self.contestants[0]

    @property
    def peers(self) -> Sequence[Contestant]:
        """The others."""
        return self.contestants[1:]

    def ran(self, label: str) -> list[Sample]:
        """The rounds that a contestant took part in."""
        return [sample for sample in self.samples.get(label, ()) if sample is not None]

    def ms(self, label: str, measure: str = LOGITS) -> float | None:
        """Milliseconds of a call: the median over the rounds of each round's median."""
        return _median([s.ms[measure] for s in self.ran(label) if measure in s.ms])

    def stage_ms(self, label: str, stage: str, measure: str = DECODED) -> float | None:
        """Milliseconds of a stage, likewise."""
        stages = [s.stages_ms.get(measure, {}).get(stage) for s in self.ran(label)]
        return _median([ms for ms in stages if ms is not None])

    def memory(self, label: str, kind: str = "peak", measure: str = LOGITS) -> int | None:
        """Bytes, `peak` or `anonymous`, the median over the rounds."""
        found = [getattr(s.memory[measure], kind) for s in self.ran(label) if measure in s.memory]
        middle = _median([b for b in found if b is not None])
        return None if middle is None else round(middle)

    def error(self, label: str) -> float | None:
        """Largest error over the rounds."""
        return max((s.error for s in self.ran(label) if s.error is not None), default=None)

    def ratio(self, peer: str, measure: str = DECODED) -> Ratio | None:
        """A peer's time to logits over our time to `measure`, round by round."""
        return self.over(peer, self.ours.label, measure)

    def over(self, slow: str, fast: str, measure: str = LOGITS) -> Ratio | None:
        """One contestant's time to logits over another's to `measure`, round by round."""
        pairs = [
            a.ms[LOGITS] / b.ms[measure]
            for a, b in zip(self.samples.get(slow, ()), self.samples.get(fast, ()), strict=False)
            if a is not None and b is not None and LOGITS in a.ms and measure in b.ms
        ]
        return Ratio(median(pairs), min(pairs), max(pairs), len(pairs)) if pairs else None


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None
