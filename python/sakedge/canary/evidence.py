"""What speaks against an adapter that is live: its weights, and how far it is from the old one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sakedge.canary.golden import FEWEST
from sakedge.canary.report import Report, TaskReport
from sakedge.canary.weights import LEAST_WEIGHT, weight_of
from sakedge.measuring.intervals import Estimate, disagreement
from sakedge.measuring.metrics import Agreement
from sakedge.result import Result, Routing

CHANCE = 0.001
"""How often a sound adapter may be undone by chance alone."""
LEAST_DIFFERENCE = 0.005
"""What differs by less than this more than on golden images is no change."""
_RESAMPLES = 400
"""Of an interval's bootstrap: it is made anew for each shadow run, within the same budget."""


class Evidence:
    """Gathers what is seen of live images, and compares it with the golden images.

    Args:
        report: The canary run that let the adapter go live.
        agreements: By task, how near two outputs are.

    Attributes:
        frames: How many frames ran with the new adapter.
        shadows: How many were run again with both.
        failed: Of those, how many the new adapter could not run and the old one could.
        differs: By task how far the new output is from the old one, as a share.
    """

    def __init__(self, report: Report, agreements: Mapping[str, Agreement]) -> None:
        self.frames = self.shadows = self.failed = 0
        self.differs: dict[str, Estimate] = {}
        self._report = report
        self._agreements = agreements
        self._weights: dict[str, float] = defaultdict(float)
        self._weighed: dict[str, int] = defaultdict(int)
        self._differ: dict[str, list[NDArray[np.float64]]] = defaultdict(list)

    def add_frame(self, routing: Mapping[str, Routing]) -> None:
        """Takes the routing of a frame that ran with the new adapter."""
        self.frames += 1
        for task, each in routing.items():
            self._weights[task] += weight_of(each, self._report.exchanged)
            self._weighed[task] += 1

    def add_shadow(self, old: Result, new: Result) -> None:
        """Takes a frame's results with the old and with the new adapter."""
        self.shadows += 1
        for task, agreement in self._agreements.items():
            rows = self._differ[task]
            rows.append(agreement.measure(new[task].values, old[task].values))
            self.differs[task] = disagreement(agreement, np.stack(rows), resamples=_RESAMPLES)

    def add_failure(self) -> None:
        """Takes a frame that the new adapter could not run and the old one could."""
        self.shadows += 1
        self.failed += 1

    @property
    def weights(self) -> dict[str, float]:
        """By task the mean weight of what was exchanged."""
        return {task: total / self._weighed[task] for task, total in self._weights.items()}

    def against(self) -> str:
        """Why the adapter should be undone, or nothing."""
        if self.failed:
            return "a frame that the old adapter runs cannot be run with it"
        reasons = (
            reason
            for task, told in self._report.tasks.items()
            for reason in (self._in_weights(task, told), self._in_output(task, told))
        )
        return next(filter(None, reasons), "")

    def _in_weights(self, task: str, told: TaskReport) -> str:
        if told.weights is None or self._weighed[task] < FEWEST:
            return ""
        weight, golden = self._weights[task] / self._weighed[task], told.weights.mean
        away = max(told.weights.away(self._chance), LEAST_WEIGHT)
        if abs(weight - golden) <= away:
            return ""
        return (
            f"{task}: its weight is {weight:.3f}, on golden images {golden:.3f} ± {away:.3f}: it "
            "was judged on images unlike these"
        )

    def _in_output(self, task: str, told: TaskReport) -> str:
        found = self.differs.get(task)
        if found is None or self.shadows < FEWEST:
            return ""
        most, golden = told.limit.max_disagreement, told.differs.mean
        text = f"{task}: it differs from the old one by {found.value:.2%}"
        if most is not None and found.low > most:
            return f"{text}, and is declared unchanged (allowed {most:.2%})"
        away = max(told.differs.away(self._chance), LEAST_DIFFERENCE)
        if found.value - golden > away:
            return f"{text}, on golden images by {golden:.2%} ± {away:.2%}"
        return ""

    @property
    def _chance(self) -> float:
        """For one figure of one task."""
        return CHANCE / (2 * len(self._report.tasks))
