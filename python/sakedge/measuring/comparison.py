"""A task before and after a change, and whether the change is allowed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sakedge.measuring.intervals import Estimate


@dataclass(frozen=True)
class Comparison:
    """What one task loses.

    Attributes:
        metric: Name of its metric.
        unit: The metric's unit.
        reference: Its value before.
        value: Its value after.
        drop: How much worse that is, as a share; with the paired 95 % interval.
        allowed: The largest drop allowed.
        n: Number of images.
    """

    metric: str
    unit: str
    reference: float
    value: float
    drop: Estimate
    allowed: float
    n: int

    @property
    def passed(self) -> bool:
        """Whether the drop is allowed; NaN is not. The interval's pessimistic end counts."""
        return self.harm() <= 1

    def harm(self, *, pessimistic: bool = True) -> float:
        """The drop in terms of what is allowed: above 1 it is too much.

        Args:
            pessimistic: Whether the interval's end counts, or else the drop itself.
        """
        return (self.drop.high if pessimistic else self.drop.value) / self.allowed

    @property
    def images_needed(self) -> int:
        """With how many images a drop that is small enough would pass; 0 where it is not."""
        room = self.allowed - self.drop.value
        if self.passed or not self.harm(pessimistic=False) < 1 or not room > 0:
            return 0
        return math.ceil(self.n * ((self.drop.high - self.drop.value) / room) ** 2)
