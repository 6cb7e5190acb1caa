"""The mean angle between surface normals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.measuring.metrics.base import check_sizes, quotient


@dataclass(frozen=True)
class MeanAngle:
    """mErr: the mean over valid pixels of the angle between two unit vectors, in degrees.

    A true vector that is zero or not finite marks a pixel that does not count.
    """

    name: str = "mErr"
    unit = "°"
    higher_is_better = False
    whole = 90.0
    size = 2

    def measure(self, found: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float64]:
        """The sum of the angles, and their number."""
        check_sizes(found, truth)
        valid = np.isfinite(truth).all(-1) & truth.any(-1)
        p, g = found[valid].astype(np.float64), truth[valid].astype(np.float64)
        # exact for small angles too, where the arc cosine of a product is not
        angles = 2 * np.arctan2(np.linalg.norm(p - g, axis=-1), np.linalg.norm(p + g, axis=-1))
        return np.array([np.degrees(angles).sum(), len(angles)])

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mean angle in degrees."""
        return quotient(sums[..., 0], sums[..., 1])
