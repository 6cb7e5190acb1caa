"""What was found on the way to the smallest student that is good and fast enough."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sakedge.measuring.intervals import Estimate


@dataclass(frozen=True)
class Configuration:
    """A set of adapters at a precision.

    Attributes:
        adapters: The set.
        precision: As for `load`.
        backend: The runtime that this precision was loaded in.
        ms: Median milliseconds of a call.
        weight_bytes: Bytes of its weights, as the file stores them.
        drops: By task how much worse it is than all adapters at fp32, as a share; empty where it
            was too slow to be judged.
        images: How many images it was judged on.
    """

    adapters: tuple[str, ...]
    precision: str
    backend: str
    ms: float
    weight_bytes: int
    drops: Mapping[str, Estimate] = field(default_factory=dict)
    images: int = 0

    @property
    def name(self) -> str:
        """It in words."""
        return f"{' + '.join(self.adapters) or 'stem only'}, {self.precision}"


@dataclass(frozen=True)
class Limits:
    """What is asked for.

    Attributes:
        ms: The longest that a call may take.
        drops: By task the largest drop.
    """

    ms: float
    drops: Mapping[str, float]

    def fast(self, each: Configuration) -> bool:
        """Whether it is fast enough."""
        return each.ms <= self.ms

    def lost(self, each: Configuration) -> tuple[str, ...]:
        """The tasks that may be worse than allowed: by the bad end of the drop's interval."""
        return tuple(t for t, drop in each.drops.items() if not drop.high <= self.drops[t])

    def fits(self, each: Configuration) -> bool:
        """Whether it is fast and good enough."""
        return self.fast(each) and bool(each.drops) and not self.lost(each)

    def hopeless(self, drops: Mapping[str, Estimate]) -> bool:
        """Whether some task is worse than allowed even at the good end of its interval."""
        return any(drop.low > self.drops[task] for task, drop in drops.items())

    def excess(self, each: Configuration) -> float:
        """By how much the worst task may be worse than allowed; infinite where that is unknown."""
        over = [drop.high - self.drops[task] for task, drop in each.drops.items()]
        return max(math.inf if math.isnan(each) else each for each in over)


@dataclass(frozen=True)
class Advice:
    """The smallest student that is good and fast enough here, and what else was tried.

    Attributes:
        student: The file.
        limits: What was asked for.
        options: What was given for `load` beside adapters and precision.
        reference: All adapters at fp32, which the others are compared with.
        tried: What was tried, in order.
        refused: Precisions that no backend runs here, and why.
    """

    student: str
    limits: Limits
    options: Mapping[str, Any]
    reference: Configuration
    tried: Sequence[Configuration]
    refused: Mapping[str, str]

    @property
    def chosen(self) -> Configuration | None:
        """The first that fits; None if nothing does."""
        return next(filter(self.limits.fits, self.tried), None)

    @property
    def nearest(self) -> Configuration:
        """Of what is fast enough that which loses least; the fastest if nothing is."""
        judged = [each for each in self.tried if each.drops and self.limits.fast(each)]
        if judged:
            return min(judged, key=self.limits.excess)
        return min(self.tried, key=lambda each: each.ms)

    def load_line(self, each: Configuration) -> str:
        """The call that loads it."""
        given: dict[str, Any] = {"adapters": list(each.adapters), "precision": each.precision}
        words = [f"{key}={value!r}" for key, value in (given | dict(self.options)).items()]
        return f"sakedge.load({', '.join([repr(self.student), *words])})"

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        chosen = self.chosen
        return {
            "student": self.student,
            "budget_ms": self.limits.ms,
            "max_drop": dict(self.limits.drops),
            "reference": self._row(self.reference),
            "tried": [self._row(each) for each in self.tried],
            "refused": dict(self.refused),
            "chosen": None if chosen is None else self._row(chosen),
            "nearest": None if chosen is not None else self._row(self.nearest),
            "load": None if chosen is None else self.load_line(chosen),
        }

    def _row(self, each: Configuration) -> dict[str, Any]:
        found = {"fast": self.limits.fast(each), "lost": list(self.limits.lost(each))}
        return {**asdict(each), "adapters": list(each.adapters), **found}
