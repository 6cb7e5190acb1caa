"""What can be said of few and unruly values: ratios and slopes with intervals, by ranks.

The unit of a comparison is a round: a fresh process, which has its own luck with memory, threads
and neighbours. Calls within it follow each other and share that luck, so a thousand of them say
less than five rounds. Of so few values no distribution is known; what is used is exact for any, as
long as the rounds of both are exchangeable if nothing differs:

- a ratio is the median of all pairwise ratios (Hodges and Lehmann), and its interval holds those
  ratios that the test of Mann and Whitney does not reject;
- a slope is the median of all pairwise slopes (Theil and Sen), and its interval comes from
  Kendall's test, wider where neighbours resemble each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

_EXACT = 40
"""Values of each side up to which the distribution of ranks is counted out."""
_FEWEST = 8
"""Values from which a slope has an interval."""


@dataclass(frozen=True)
class Interval:
    """A figure and the values around it that the data do not rule out."""

    value: float
    low: float
    high: float


def ratio(before: Sequence[float], after: Sequence[float], level: float) -> Interval | None:
    """`after` over `before`, positive values, with an interval that covers at least `level`.

    Returns:
        None where there are too few values for any interval of that level: four of each for 0.95,
        five for 0.99.
    """
    first, second = (np.log(np.asarray(each, np.float64)) for each in (before, after))
    shifts = np.sort((second[:, None] - first[None, :]).ravel())
    skipped = _skipped(first.size, second.size, level)
    if skipped is None:
        return None
    low, high = shifts[skipped], shifts[shifts.size - 1 - skipped]
    value, low, high = (float(np.exp(each)) for each in (np.median(shifts), low, high))
    return Interval(value, low, high)


def slope(at: Sequence[float], values: Sequence[float], level: float) -> Interval | None:
    """Change of the values for each unit of `at`, with its interval; None for fewer than 8."""
    x, y = np.asarray(at, np.float64), np.asarray(values, np.float64)
    count = x.size
    if count < _FEWEST:
        return None
    i, j = np.triu_indices(count, 1)
    slopes = np.sort((y[j] - y[i]) / (x[j] - x[i]))
    value = float(np.median(slopes))
    variance = count * (count - 1) * (2 * count + 5) / 18 * _resemblance(y - value * x)
    reach = NormalDist().inv_cdf((1 + level) / 2) * sqrt(variance)
    low = int(np.clip(np.floor((slopes.size - reach) / 2), 0, slopes.size - 1))
    high = int(np.clip(np.ceil((slopes.size + reach) / 2), 0, slopes.size - 1))
    return Interval(value, float(slopes[low]), float(slopes[high]))


def _skipped(first: int, second: int, level: float) -> int | None:
    """How many of the pairwise shifts, in order, lie outside of the interval at each end."""
    tail = (1 - level) / 2
    if max(first, second) > _EXACT:
        middle = first * second / 2
        spread = sqrt(first * second * (first + second + 1) / 12)
        return max(0, int(middle + NormalDist().inv_cdf(tail) * spread))
    counts = _rank_sums(first, second)
    total, below = comb(first + second, first), 0
    for skipped, ways in enumerate(counts):
        below += ways
        if below / total > tail:
            return skipped - 1 if skipped else None
    return None


def _rank_sums(first: int, second: int) -> list[int]:
    """Of all orders of both groups, how many have how many pairs in which the second is less."""
    ways = [[0] * (first * second + 1) for _ in range(first + 1)]
    ways[0][0] = 1
    for place in range(first + second):
        for taken in range(min(first, place + 1), 0, -1):
            behind = place - taken + 1
            for u in range(behind, first * second + 1):
                ways[taken][u] += ways[taken - 1][u - behind]
    return ways[first]


def _resemblance(rest: NDArray[np.float64]) -> float:
    """How much wider an interval gets because neighbours resemble each other; 1 if they do not."""
    rest = rest - rest.mean()
    power = float(rest @ rest)
    if power <= 0:
        return 1.0
    alike = min(max(float(rest[1:] @ rest[:-1]) / power, 0.0), 0.9)
    return (1 + alike) / (1 - alike)
