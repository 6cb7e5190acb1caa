"""What int8 loses in one task, and whether that is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sakedge.format import TaskQuality
from sakedge.measuring.comparison import Comparison
from sakedge.measuring.intervals import Estimate

PART_OF_WORTH = 0.25
"""A task may lose at most this part of what its adapters are worth to it."""
PART_OF_CHANGE = 0.5
"""Without labels it may differ from fp32 at most by this part of what it differs by without
adapters. That is the same bound: quality falls with the square of small random differences."""


@dataclass(frozen=True)
class Verdict(Comparison):
    """What one task loses: before is fp32, after is int8.

    Attributes:
        worth: What the task loses in fp32 without any adapter, on the same images; None for a
            student without adapters.
        dataset: Name of the images.
        dataset_digest: SHA-256 of images and labels.
        labelled: Whether it was judged by labels, or else by agreement with fp32.
    """

    worth: Estimate | None
    dataset: str
    dataset_digest: str
    labelled: bool

    @property
    def most(self) -> float | None:
        """The part of the adapters' worth that may be lost; None where that is not significant."""
        if self.worth is None or not self.worth.low > 0:
            return None
        return (PART_OF_WORTH if self.labelled else PART_OF_CHANGE) * self.worth.value

    def harm(self, *, pessimistic: bool = True) -> float:
        """The drop in terms of what is allowed: above 1 it is too much.

        Args:
            pessimistic: Whether the interval's end counts, or else the drop itself. Against the
                adapters' worth the drop itself always does.
        """
        against = super().harm(pessimistic=pessimistic)
        if self.most is None:
            return against
        return max(against, self.drop.value / self.most, key=_nan_first)

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
