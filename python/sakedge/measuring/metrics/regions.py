"""maxF of a probability map of regions, such as saliency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.measuring.metrics.base import check_sizes
from sakedge.measuring.metrics.curve import Curve, best, curve_of, levels_of, statistics

THRESHOLDS = np.linspace(0.05, 0.95, 19, dtype=np.float32)
BETA2 = 0.3
"""Precision counts for more than recall, as in the literature on saliency."""


@dataclass(frozen=True)
class RegionF:
    """maxF: the highest F over 19 thresholds, β² = 0.3, precision and recall pooled, in per cent.

    Attributes:
        ignore: The value of truth of pixels that are not counted.
    """

    ignore: int = 255
    name = "maxF"
    unit = "%"
    higher_is_better = True
    size = 2 * len(THRESHOLDS) + 1

    def measure(self, found: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float64]:
        """Pixels that are right and found at each threshold, and those that are there."""
        check_sizes(found, truth)
        valid = truth != self.ignore
        levels, inside = levels_of(found[valid], THRESHOLDS), truth[valid] != 0
        return statistics(levels[inside], levels, int(inside.sum()), len(THRESHOLDS))

    def curve(self, sums: NDArray[np.float64]) -> Curve:
        """Precision, recall and F over the thresholds."""
        return curve_of(sums, THRESHOLDS, BETA2)

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """The highest F in per cent."""
        return best(self.curve(sums).f)


@dataclass(frozen=True)
class RegionAgreement(RegionF):
    """maxF of one student, with the region where another's map reaches 0.5 as the truth."""

    name = "maxF of regions"
    whole = 100.0

    def measure(self, found: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float64]:
        """As of `RegionF`."""
        return super().measure(found, truth >= 0.5)
