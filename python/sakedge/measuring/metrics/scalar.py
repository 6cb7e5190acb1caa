"""Errors of scalar maps, such as depth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.measuring.metrics.base import check_sizes, quotient


@dataclass(frozen=True)
class RootMeanSquare:
    """RMSE: the root of the mean squared error, pooled over valid pixels.

    A true value that is not above 0, not finite, or at `limit` or beyond does not count.

    Attributes:
        unit: Unit of the values.
        limit: Values that sensors or scenes do not reach.
    """

    unit: str = ""
    limit: float = math.inf
    name = "RMSE"
    higher_is_better = False
    size = 2

    def measure(self, found: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float64]:
        """The sum of the squared errors, and their number."""
        check_sizes(found, truth)
        valid = (truth > 0) & (truth < self.limit)
        error = found[valid].astype(np.float64) - truth[valid].astype(np.float64)
        return np.array([np.square(error).sum(), len(error)])

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """The root of the mean squared error."""
        return np.sqrt(quotient(sums[..., 0], sums[..., 1]))


@dataclass(frozen=True)
class RelativeError:
    """The root mean square of two students' difference, in per cent of that of the second's values.

    It needs no unit, so that one bound serves depth in metres and in millimetres.
    """

    name = "relative RMS difference"
    unit = "%"
    higher_is_better = False
    whole = 100.0
    size = 2

    def measure(self, found: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float64]:
        """The sums of the squared differences and of the squared values."""
        check_sizes(found, truth)
        value = truth.astype(np.float64)
        return np.array([np.square(found - value).sum(), np.square(value).sum()])

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """The relative difference in per cent."""
        return 100 * np.sqrt(quotient(sums[..., 0], sums[..., 1]))
