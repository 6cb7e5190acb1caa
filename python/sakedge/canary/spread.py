"""How a figure varies from image to image, and where that of one more image lies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np


@dataclass(frozen=True)
class Spread:
    """A figure of each of some images.

    Attributes:
        mean: Over the images.
        deviation: Standard deviation of single images.
        n: Number of images.
    """

    mean: float
    deviation: float
    n: int

    @classmethod
    def of(cls, figures: Sequence[float]) -> Spread:
        """Of one figure per image; NaN says nothing."""
        each = np.asarray(figures, np.float64)
        each = each[np.isfinite(each)]
        if not each.size:
            return cls(math.nan, math.nan, 0)
        deviation = float(each.std(ddof=1)) if each.size > 1 else math.nan
        return cls(float(each.mean()), deviation, each.size)

    def away(self, chance: float) -> float:
        """How far the figure of one more image like these is from the mean, but for a small chance.

        Student's prediction interval. The mean over any number of frames is no farther, also if all
        of them show the same scene.

        Args:
            chance: That it is farther, to either side.
        """
        return self.deviation * math.sqrt(1 + 1 / self.n) * student_quantile(chance, self.n - 1)


def student_quantile(chance: float, degrees: int) -> float:
    """What Student's t exceeds in magnitude with this chance.

    By the expansion of Abramowitz and Stegun, 26.7.5: within 0.1 % from 15 degrees of freedom and a
    chance of 1e-4 on.
    """
    z = NormalDist().inv_cdf(1 - chance / 2)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return float(z + sum(term / degrees ** (i + 1) for i, term in enumerate(terms)))
