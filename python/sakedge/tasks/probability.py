"""Probability maps: the sigmoid of one channel, or the second of two classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.arguments import in_range
from sakedge.drawing.colors import blend, grey, heat
from sakedge.drawing.legend import Legend
from sakedge.tasks.base import TaskResult
from sakedge.tasks.regions import Region, find_regions

_RAMP = np.linspace(0, 1, 64, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class ProbabilityResult(TaskResult):
    """A probability per pixel; `probability` is float32 [h, w] in 0…1."""

    @property
    def probability(self) -> NDArray[np.float32]:
        """Probability per pixel."""
        return self.values

    def score(self, area: int = 1) -> float:
        """The image's score: the probability that `area` pixels reach.

        Args:
            area: Pixels. 1 is the highest probability of any pixel; more let no speck decide.

        Raises:
            OptionError: The image has fewer pixels.
        """
        in_range("area", area, low=1, high=self.values.size, whole=True)
        return float(np.partition(self.values, self.values.size - area, axis=None)[-area])

    def regions(self, threshold: float = 0.5, *, min_area: int = 1) -> list[Region]:
        """Connected pixels that are more probable than `threshold`, the largest region first.

        Args:
            threshold: Probability, 0…1.
            min_area: Regions of fewer pixels are left out.

        Raises:
            OptionError: A number is out of range.
        """
        in_range("threshold", threshold, low=0, high=1)
        in_range("min_area", min_area, low=1, whole=True)
        wanted = np.where(self.values > threshold, np.int8(0), np.int8(-1))
        return find_regions(wanted, (self.info.name,), self.values, min_area=min_area)

    def draw(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Lays a heat map over the image in grey, the more opaque the more probable."""
        return blend(grey(image), heat(self.values), 0.15 + 0.75 * self.values)

    def legend(self) -> Legend:
        """The heat map's colours from 0 to 1."""
        return Legend(ramp=heat(_RAMP), ends=("0", "1"))

    def summary(self) -> dict[str, Any]:
        """Mean and maximum, and the share of the image that is more probable than not."""
        return {
            "mean": round(float(self.values.mean()), 6),
            "max": round(float(self.values.max()), 6),
            "percent_above_half": round(100 * float((self.values > 0.5).mean()), 4),
        }
