"""One-to-one matching of boundary pixels within a distance.

The official evaluation assigns pixels at the least cost, where a pair costs its distance and a
pixel without a partner 100 times the largest distance. One pair more saves 200 times that distance,
so it pays unless it moves 200 other pairs: the assignment has as many pairs as possible. Only their
number is used, and it needs no costs: it is the size of a maximum matching.

Found pixels are taken one by one, the most probable first, and each is matched if a chain of
exchanges (an augmenting path) frees a true pixel for it. A pixel that was matched stays matched,
and one that could not be never can be: sets of pixels that can all be matched are the independent
sets of a matroid. So after any number of pixels the matching is the largest of those pixels, and
one run gives the largest matching of every threshold.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def matched(
    found: NDArray[np.intp], truth: NDArray[np.intp], size: tuple[int, int], reach: float
) -> NDArray[np.bool_]:
    """Which pixels are matched when each is taken in turn.

    Args:
        found: Found pixels, the most probable first: indices into the flat map.
        truth: True pixels, rising.
        size: Height and width of the map.
        reach: How far apart two matched pixels may lie, in pixels.

    Returns:
        Of each found pixel whether it has a partner; `[:n].sum()` is how many of the first n can
        have one at once.
    """
    pixels, partners = _near(found, truth, size, reach)
    pairs = _Pairs(partners, len(truth))
    is_matched = np.zeros(len(found), np.bool_)
    is_matched[pixels] = [pairs.add(i) for i in range(len(pixels))]
    return is_matched


class _Pairs:
    """A maximum matching of the found pixels added so far."""

    def __init__(self, partners: list[list[int]], true_pixels: int) -> None:
        self.partners = partners
        self.owner = [-1] * true_pixels  # true pixel → found pixel
        self.owned = [-1] * len(partners)  # found pixel → true pixel
        self.spent = bytearray(true_pixels)  # true pixels that no chain leads away from any more

    def add(self, pixel: int) -> bool:
        """Matches one more found pixel; False if no chain of exchanges frees a true pixel."""
        owner, spent = self.owner, self.spent
        came_from: dict[int, int] = {}  # true pixel → found pixel that reached it
        queue = [pixel]
        for each in queue:  # it grows: the breadth-first search of the shortest chain
            for true in self.partners[each]:
                if true in came_from or spent[true]:
                    continue
                came_from[true] = each
                if owner[true] < 0:
                    self._exchange(pixel, true, came_from)
                    return True
                queue.append(owner[true])
        for true in came_from:  # all owned, and whatever their owners could take is among them
            spent[true] = 1
        return False

    def _exchange(self, pixel: int, true: int, came_from: dict[int, int]) -> None:
        """Along the chain from a free true pixel back, each found pixel takes the next true one."""
        while True:
            taker = came_from[true]
            left = self.owned[taker]
            self.owner[true], self.owned[taker] = taker, true
            if taker == pixel:
                return
            true = left


def _near(
    found: NDArray[np.intp], truth: NDArray[np.intp], size: tuple[int, int], reach: float
) -> tuple[NDArray[np.intp], list[list[int]]]:
    """Found pixels that have true ones within reach, and for each the numbers of those.

    True pixels that follow one another in a row have consecutive numbers: what is within reach in a
    row is a range, and a running count of true pixels says where it begins and ends.
    """
    height, width = size
    far = math.floor(reach)
    is_true = np.zeros((height, width), np.int32)
    is_true.flat[truth] = 1
    framed = np.pad(is_true, far + 1)
    before = np.concatenate([[0], framed.cumsum(dtype=np.int32)])
    y, x = np.divmod(found, width)
    here = (y + far + 1) * framed.shape[1] + x + far + 1
    begin, end = np.empty((2, len(found), 2 * far + 1), np.int32)
    for i, dy in enumerate(range(-far, far + 1)):
        span = math.floor(math.sqrt(reach**2 - dy**2))
        centre = here + dy * framed.shape[1]
        begin[:, i], end[:, i] = before[centre - span], before[centre + span + 1]
    counts = end - begin
    stops = counts.sum(1).cumsum()
    runs = counts.ravel()
    numbers = np.arange(runs.sum()) + np.repeat(begin.ravel() - runs.cumsum() + runs, runs)
    pixels = np.flatnonzero(counts.any(1))
    flat = numbers.tolist()
    starts = (stops - counts.sum(1))[pixels].tolist()
    return pixels, [flat[a:b] for a, b in zip(starts, stops[pixels].tolist(), strict=True)]
