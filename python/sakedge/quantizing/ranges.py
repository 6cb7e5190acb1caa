"""Which values of a layer's input int8 can hold: all of them, or those that matter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sakedge.format.values import SMALLEST_SCALE

Floats = NDArray[np.float32]
Weights = NDArray[np.float64]
Range = tuple[float, float]

LEVELS = 255
"""Steps between the smallest and the largest uint8."""
PERCENTILE = 99.99
"""Per cent of the values that lie in the range which `percentile` chooses, half of the rest on
either side."""

_BINS = 1 << 13
_TIGHTEST = 32
"""Below this part of the whole range a histogram has too few bins to judge 256 levels by."""


@dataclass(frozen=True)
class Histogram:
    """Values of one tensor, counted in bins of equal width.

    Attributes:
        counts: How many are in each bin; fractions where some values stand for several.
        edges: The bins' edges, one more.
    """

    counts: NDArray[np.float64]
    edges: NDArray[np.float64]

    @classmethod
    def of(cls, values: Floats, weights: Weights, whole: Range) -> Histogram:
        """Counts values [n, channels], each row as often as its weight says."""
        every = np.broadcast_to(weights[:, np.newaxis], values.shape)
        counts, edges = np.histogram(values, _BINS, whole, weights=every)
        return cls(counts, edges)


@dataclass(frozen=True)
class Scaling:
    """How floats become uint8: `round(value / scale) + zero_point`, clipped to 0…255.

    Attributes:
        scale: Of one step.
        zero_point: What 0 becomes, exactly.
    """

    scale: np.float32
    zero_point: np.uint8

    @classmethod
    def over(cls, low: float, high: float) -> Scaling:
        """The one whose range covers `low` to `high`, and 0."""
        low, high = min(low, 0.0), max(high, 0.0)
        scale = np.float32(max((high - low) / LEVELS, SMALLEST_SCALE))
        return cls(scale, np.uint8(np.clip(np.rint(-low / scale), 0, LEVELS)))

    def rounded(self, values: Floats) -> Floats:
        """The values that uint8 holds in the place of these."""
        zero = np.float32(self.zero_point)
        cells = np.clip(np.rint(values / self.scale) + zero, 0, LEVELS)
        return np.asarray((cells - zero) * self.scale, np.float32)


def minmax(values: Floats, weights: Weights, whole: Range) -> Range:
    """Everything that was seen."""
    return whole


def percentile(values: Floats, weights: Weights, whole: Range) -> Range:
    """All but the rarest values, see `PERCENTILE`."""
    seen = Histogram.of(values, weights, whole)
    share = np.cumsum(seen.counts) / seen.counts.sum()
    tail = (1 - PERCENTILE / 100) / 2
    first, last = np.searchsorted(share, (tail, 1 - tail))
    return float(seen.edges[first]), float(seen.edges[min(last, _BINS - 1) + 1])


def entropy(values: Floats, weights: Weights, whole: Range) -> Range:
    """The range in which 256 levels keep most of the distribution.

    That is the least Kullback-Leibler divergence of what was seen from what is left of it.
    """
    seen = Histogram.of(values, weights, whole)
    low, high = whole
    ends = max(-low, high) * 2.0 ** -np.arange(0, np.log2(_TIGHTEST) + 0.25, 0.25)
    candidates = [(max(low, -end), min(high, end)) for end in ends]
    return min(candidates, key=lambda candidate: _divergence(seen, *candidate))


RANGES: dict[str, Callable[[Floats, Weights, Range], Range]] = {
    "minmax": minmax,
    "percentile": percentile,
    "entropy": entropy,
}
"""How the range of a layer's input is chosen, by name. Each takes a sample of values [n, channels],
how many each of its rows stands for [n], and the range of all values."""


def _divergence(seen: Histogram, low: float, high: float) -> float:
    """Of the clipped distribution from its 256 levels."""
    middle = (seen.edges[:-1] + seen.edges[1:]) / 2
    inside = (middle >= low) & (middle <= high)
    bins = np.clip(np.searchsorted(middle[inside], middle), 0, inside.sum() - 1)
    clipped = np.bincount(bins, seen.counts, minlength=inside.sum())  # the rest at the two ends
    kept = seen.counts[inside]
    level = np.rint((middle[inside] - low) / (high - low) * LEVELS).astype(np.intp)
    # A level's count is spread evenly over those of its bins that had any.
    held = np.bincount(level, kept)
    used = np.bincount(level, kept > 0)
    spread = np.where(kept > 0, (held / np.maximum(used, 1))[level], 0)
    p = clipped / clipped.sum()
    q = np.maximum(spread / max(spread.sum(), 1e-30), 1e-9)
    some = p > 0
    return float((p[some] * np.log(p[some] / q[some])).sum())
