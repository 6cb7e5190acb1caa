"""odsF of a boundary map."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.measuring.metrics.base import check_sizes
from sakedge.measuring.metrics.curve import Curve, best, curve_of, levels_of, statistics
from sakedge.measuring.metrics.matching import matched
from sakedge.measuring.metrics.suppression import suppressed
from sakedge.measuring.metrics.thinning import thinned

THRESHOLDS = np.linspace(0.01, 0.99, 99, dtype=np.float32)
"""The official ones. All come out of one matching, so fewer would not be cheaper."""


@dataclass(frozen=True)
class BoundaryF:
    """odsF: F of boundaries at the one threshold that is best for the data set, in per cent.

    Found boundaries go through non-maximum suppression and are thinned, true ones are thinned;
    found and true pixels are matched one to one.

    Found ones are thinned once, where the lowest threshold is reached; the official evaluation
    thins at each threshold anew. So the pixels of a threshold are among those of every lower one,
    which lets one matching serve all thresholds. On the demo student it moves odsF by 0.04 points.

    Attributes:
        tolerance: How far apart two matched pixels may lie, as a share of the image's diagonal:
            0.0075 for PASCAL-Context, 0.011 for NYUD-v2.
        ignore: The value of truth of pixels that are not counted.
    """

    tolerance: float = 0.0075
    ignore: int = 255
    name = "odsF"
    unit = "%"
    higher_is_better = True
    size = 2 * len(THRESHOLDS) + 1

    def measure(self, found: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float64]:
        """Pixels that are matched and found at each threshold, and those that are there."""
        check_sizes(found, truth)
        there = thinned((truth != 0) & (truth != self.ignore))
        return self._compare(_ridges(found, truth != self.ignore), there, truth.shape)

    def _compare(
        self,
        found: tuple[NDArray[np.intp], NDArray[np.intp]],
        there: NDArray[np.intp],
        shape: tuple[int, ...],
    ) -> NDArray[np.float64]:
        pixels, levels = found
        size = (shape[0], shape[1])
        right = matched(pixels, there, size, self.tolerance * math.hypot(*size))
        return statistics(levels[right], levels, len(there), len(THRESHOLDS))

    def curve(self, sums: NDArray[np.float64]) -> Curve:
        """Precision, recall and F over the thresholds."""
        return curve_of(sums, THRESHOLDS, beta2=1)

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """The highest F in per cent."""
        return best(self.curve(sums).f)


@dataclass(frozen=True)
class BoundaryAgreement(BoundaryF):
    """odsF of one student, with the boundaries of another at 0.5 as the truth."""

    name = "odsF of boundaries"
    whole = 100.0

    def measure(self, found: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float64]:
        """As of `BoundaryF`; both maps are suppressed and thinned alike."""
        check_sizes(found, truth)
        everywhere = np.ones(truth.shape, np.bool_)
        pixels, levels = _ridges(truth, everywhere)
        there = np.sort(pixels[levels >= levels_of(np.float32(0.5), THRESHOLDS)])
        return self._compare(_ridges(found, everywhere), there, truth.shape)


def _ridges(
    boundary: NDArray[Any], valid: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The thin boundary: flat indices and levels of its pixels, the highest levels first."""
    ridge = suppressed(boundary.astype(np.float32, copy=False), THRESHOLDS[0])
    levels = levels_of(ridge, THRESHOLDS)
    pixels = thinned((levels > 0) & valid)
    levels = levels.ravel()[pixels]
    order = np.argsort(-levels, kind="stable")
    return pixels[order], levels[order]
