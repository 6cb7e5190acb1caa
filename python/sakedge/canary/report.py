"""What a canary run found, and what that means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.canary.golden import FEWEST, Limit
from sakedge.canary.spread import Spread
from sakedge.canary.weights import LEAST_WEIGHT
from sakedge.measuring.comparison import Comparison
from sakedge.measuring.intervals import Estimate, relative_drop
from sakedge.measuring.metrics import Metric
from sakedge.text import visible

_SHOWN_FAILURES = 3


@dataclass(frozen=True)
class Judged(Comparison):
    """One task on golden images, before and after.

    Attributes:
        higher_is_better: Whether a better adapter has a higher value.
        limit: What it must keep.
    """

    higher_is_better: bool
    limit: Limit

    @classmethod
    def of(
        cls,
        metric: Metric,
        limit: Limit,
        before: NDArray[np.float64],
        after: NDArray[np.float64],
    ) -> Judged:
        """What the statistics of the same images say, both [images, S]."""
        return Judged(
            metric=metric.name,
            unit=metric.unit,
            reference=float(metric.value(before.sum(axis=0))),
            value=float(metric.value(after.sum(axis=0))),
            drop=relative_drop(metric, before, after),
            allowed=limit.max_drop,
            n=int(np.isfinite(metric.value(before)).sum()),
            higher_is_better=metric.higher_is_better,
            limit=limit,
        )

    @property
    def verdict(self) -> str:
        """`better`, `as good`, or why it does not pass: the first reason that holds."""
        if self.n < FEWEST:
            return f"too few images ({self.n} of {FEWEST})"
        if self.limit.worst is not None and not self._reaches(self.limit.worst):
            return f"beyond {self.limit.worst:g}"
        if self.drop.low > self.allowed:
            return "worse"
        if not self.harm() <= 1:
            return "not shown to be good"
        return "better" if self.drop.high < 0 else "as good"

    @property
    def passed(self) -> bool:
        """Whether it keeps all that it must; what is not known does not pass."""
        return self.verdict in ("better", "as good")

    @property
    def told(self) -> str:
        """The figures in one line."""
        drop, unit = self.drop, f" {self.unit}".rstrip()
        text = f"{self.metric} {self.reference:.4g} → {self.value:.4g}{unit}, "
        text += f"drop {drop.value:.2%} ({drop.low:.2%} to {drop.high:.2%}), "
        text += f"allowed {self.allowed:.2%}: {self.verdict}"
        if self.verdict == "not shown to be good" and self.images_needed:
            text += f"; {self.images_needed} such images would show it"
        return text

    def _reaches(self, worst: float) -> bool:
        return self.value >= worst if self.higher_is_better else self.value <= worst


@dataclass(frozen=True)
class TaskReport(Judged):
    """One task: before is the old adapter, after is the new one.

    Attributes:
        disagreement: How far the new output is from the old one, as a share.
        differs: The same of single images.
        weights: With which weight the task's routers mix in what was exchanged, by image; None
            where nothing was exchanged.
    """

    disagreement: Estimate
    differs: Spread
    weights: Spread | None

    @property
    def verdict(self) -> str:
        """As of `Judged`; also `changed`, for a task that is declared unchanged and is not."""
        found, most = super().verdict, self.limit.max_disagreement
        if (
            found in ("better", "as good")
            and most is not None
            and not self.disagreement.high <= most
        ):
            return "changed"
        return found

    @property
    def told(self) -> str:
        """The figures in one line."""
        text, found, most = super().told, self.disagreement, self.limit.max_disagreement
        if most is not None:
            text += f"; differs by {found.value:.2%} (up to {found.high:.2%}), allowed {most:.2%}"
        return text


@dataclass(frozen=True)
class Report:
    """A canary run.

    Attributes:
        golden: Name of the golden images.
        golden_digest: SHA-256 of them and their ground truth.
        images: How many there are.
        exchanged: The slots whose adapter differs.
        old: Digest of the old adapter in each of them; missing where there is none.
        new: Digest of the new one.
        tasks: By task what was found.
        failed: Images that the new adapter cannot run, with the reason.
        unpaired: Images that the old one cannot run; they are left out.
    """

    golden: str
    golden_digest: str
    images: int
    exchanged: tuple[str, ...]
    old: Mapping[str, str]
    new: Mapping[str, str]
    tasks: Mapping[str, TaskReport]
    failed: Mapping[str, str]
    unpaired: tuple[str, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is refused; empty if it is not."""
        tasks = (f"{task}: {each.told}" for task, each in self.tasks.items() if not each.passed)
        return (*self._general, *tasks)

    @property
    def passed(self) -> bool:
        """Whether the adapter may go live."""
        return not self.reasons

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return {
            **asdict(self),
            "passed": self.passed,
            "reasons": list(self.reasons),
            "tasks": {
                task: {**asdict(each), "verdict": each.verdict, "images_needed": each.images_needed}
                for task, each in self.tasks.items()
            },
        }

    def __str__(self) -> str:
        width = max(map(len, self.tasks), default=0)
        lines = [
            f"{', '.join(self.exchanged) or 'nothing'} on {self.golden}, {self.images} images",
            *(f"  {task:<{width}}  {each.told}" for task, each in self.tasks.items()),
            *(f"  {reason}" for reason in self._general),
            "accepted" if self.passed else "refused",
        ]
        if self.unpaired:
            lines.insert(-1, f"  left out, as the old one cannot run them: {len(self.unpaired)}")
        return "\n".join(map(visible, lines))

    @property
    def _general(self) -> tuple[str, ...]:
        """What is wrong with no single task."""
        weights = [each.weights.mean for each in self.tasks.values() if each.weights is not None]
        found = []
        if self.failed:
            some = list(self.failed.items())[:_SHOWN_FAILURES]
            told = "; ".join(f"{name}: {reason}" for name, reason in some)
            found.append(f"{len(self.failed)} images cannot be run with it ({told})")
        elif not self.tasks:
            found.append(
                "no image can be run with the old one, so there is nothing to compare with"
            )
        if weights and max(weights) < LEAST_WEIGHT:
            found.append(
                f"the golden images do not use {', '.join(self.exchanged)}: its mean weight is at "
                f"most {max(weights):.2g} in any task"
            )
        return tuple(found)
