"""What int8 loses in one task, and whether that is allowed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sakedge.evaluating.intervals import Estimate
from sakedge.format import TaskQuality

PART_OF_WORTH = 0.25
"""A task may lose at most this part of what its adapters are worth to it."""
PART_OF_CHANGE = 0.5
"""Without labels it may differ from fp32 at most by this part of what it differs by without
adapters. That is the same bound: quality falls with the square of small random differences."""


@dataclass(frozen=True)
class Verdict:
    """What one task loses.

    Attributes:
        metric: Name of its metric.
        unit: The metric's unit.
        reference: Its value at fp32.
        value: Its value at int8.
        drop: How much worse that is, as a share; with the paired 95 % interval.
        allowed: The largest drop allowed.
        worth: What the task loses in fp32 without any adapter, on the same images; None for a
            student without adapters.
        n: Number of images.
        dataset: Name of the images.
        dataset_digest: SHA-256 of images and labels.
        labelled: Whether it was judged by labels, or else by agreement with fp32.
    """

    metric: str
    unit: str
    reference: float
    value: float
    drop: Estimate
    allowed: float
    worth: Estimate | None
    n: int
    dataset: str
    dataset_digest: str
    labelled: bool

    @property
    def most(self) -> float | None:
        """The part of the adapters' worth that may be lost; None where that is not significant."""
        if self.worth is None or not self.worth.low > 0:
            return None
        return (PART_OF_WORTH if self.labelled else PART_OF_CHANGE) * self.worth.value

    @property
    def passed(self) -> bool:
        """Whether the drop is allowed; NaN is not.

        The interval's pessimistic end counts, and against the adapters' worth the drop itself.
        """
        return self.harm() <= 1

    def harm(self, *, pessimistic: bool = True) -> float:
        """The drop in terms of what is allowed: above 1 it is too much.

        Args:
            pessimistic: Whether the interval's end counts, or else the drop itself.
        """
        against = (self.drop.high if pessimistic else self.drop.value) / self.allowed
        if self.most is None:
            return against
        return max(against, self.drop.value / self.most, key=_nan_first)

    @property
    def images_needed(self) -> int:
        """With how many images a drop that is small enough would pass; 0 where it is not."""
        room = self.allowed - self.drop.value
        if self.passed or not self.harm(pessimistic=False) < 1 or not room > 0:
            return 0
        return math.ceil(self.n * ((self.drop.high - self.drop.value) / room) ** 2)

    @property
    def told(self) -> str:
        """The drop and its bounds in words."""
        does = "drops" if self.labelled else "differs from fp32"
        text = f"{self.metric} {does} by {self.drop.value:.2%}, by up to {self.drop.high:.2%} "
        text += f"(allowed {self.allowed:.2%})"
        if self.most is not None and not self.drop.value <= self.most:
            text += f", of what its adapters are worth more than may be lost ({self.most:.2%})"
        return text

    @property
    def judged_by(self) -> str:
        """The images, and what stood for the truth if not labels."""
        return self.dataset if self.labelled else f"{self.dataset}, agreement with fp32"

    def quality(self) -> TaskQuality:
        """As it is recorded."""
        return TaskQuality(
            metric=self.metric,
            value=self.value,
            reference=self.reference,
            passed=self.passed,
            n=self.n,
            dataset=self.judged_by,
            dataset_digest=self.dataset_digest,
            drop=self.drop.value,
            drop_interval=(self.drop.low, self.drop.high),
            allowed=self.allowed,
        )


def worst(verdicts: Mapping[str, Verdict], *, pessimistic: bool = True) -> float:
    """The largest harm to any task; NaN if there is one."""
    return max((v.harm(pessimistic=pessimistic) for v in verdicts.values()), key=_nan_first)


def _nan_first(value: float) -> tuple[bool, float]:
    return value != value, value
