"""Precision, recall and F of a probability map over its thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.measuring.metrics.base import quotient


@dataclass(frozen=True)
class Curve:
    """What there is at each threshold, each array [..., thresholds] but the first.

    Attributes:
        thresholds: Least probabilities, rising.
        precision: Share of what was found that is right, 0 to 1; NaN where nothing was found.
        recall: Share of what is there that was found, 0 to 1; NaN where nothing is there.
        f: (1 + β²)·PR / (β²·P + R), 0 to 1; NaN where nothing is there.
    """

    thresholds: NDArray[np.float32]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f: NDArray[np.float64]


def curve_of(sums: NDArray[np.float64], thresholds: NDArray[np.float32], beta2: float) -> Curve:
    """The curve of counts as `statistics` lays them out, [..., 2 · thresholds + 1]."""
    count = len(thresholds)
    right, found, there = sums[..., :count], sums[..., count:-1], sums[..., -1:]
    # (1 + β²)·PR / (β²·P + R) with P = right / found and R = right / there
    f = quotient((1 + beta2) * right, np.where(there > 0, beta2 * there + found, 0))
    there = np.broadcast_to(there, right.shape)
    return Curve(thresholds, quotient(right, found), quotient(right, there), f)


def levels_of(values: NDArray[Any], thresholds: NDArray[np.float32]) -> NDArray[np.intp]:
    """How many of the rising thresholds each value reaches."""
    return np.searchsorted(thresholds, values.astype(np.float32, copy=False), side="right")


def statistics(
    right: NDArray[np.intp], found: NDArray[np.intp], there: int, count: int
) -> NDArray[np.float64]:
    """An image's statistics: what is right and what was found at each threshold, what is there.

    Args:
        right: The level of each pixel found that is right.
        found: The level of each pixel.
        there: How many pixels are to be found.
        count: How many thresholds there are.
    """
    return np.array([*_reaching(right, count), *_reaching(found, count), there], np.float64)


def _reaching(levels: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    at = np.bincount(levels.ravel(), minlength=count + 1)
    return at[:0:-1].cumsum()[::-1]


def best(f: NDArray[np.float64]) -> NDArray[np.float64]:
    """The highest F in per cent, [..., thresholds] → [...]; NaN where there is none."""
    return np.asarray(100 * f.max(-1))
