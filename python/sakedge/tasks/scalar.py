"""Non-negative values with a unit, such as depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.drawing.colors import perceptual
from sakedge.drawing.legend import Legend
from sakedge.tasks.base import TaskResult

_RAMP = np.linspace(0, 1, 64, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class ScalarResult(TaskResult):
    """A value per pixel; `values` is float32 [h, w], at least 0, in `unit`."""

    @property
    def unit(self) -> str | None:
        """Unit of the values, e.g. `m`."""
        return self.info.unit

    def draw(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A perceptual colour map from the lowest value to the highest."""
        low, high = float(self.values.min()), float(self.values.max())
        return perceptual((self.values - low) / max(high - low, 1e-12))

    def legend(self) -> Legend:
        """The colours from the lowest to the highest value."""
        unit = f" {self.unit}" if self.unit else ""
        ends = (f"{self.values.min():.3g}{unit}", f"{self.values.max():.3g}{unit}")
        return Legend(ramp=perceptual(_RAMP), ends=ends)

    def summary(self) -> dict[str, Any]:
        """Lowest, mean and highest value, and the unit."""
        return {
            "min": round(float(self.values.min()), 6),
            "mean": round(float(self.values.mean()), 6),
            "max": round(float(self.values.max()), 6),
            "unit": self.unit,
        }
