"""Thinning of boundaries to lines one pixel wide: parallel thinning of Guo and Hall.

A pixel has eight neighbours, numbered from the east, against the clock; they make a byte, with
which a table says whether the pixel may go.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray


def thinned(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The pixels of a mask [h, w] that thinning leaves: indices into the flat map, rising."""
    width = mask.shape[1]
    row = width + 2
    there = np.pad(mask, 1).astype(np.uint8).ravel()
    pixels = np.flatnonzero(there)
    neighbours = np.array([1, 1 - row, -row, -row - 1, -1, row - 1, row, row + 1])
    bits = 1 << np.arange(8)
    unchanged = 0
    while unchanged < 2:
        for may_go in _tables():
            goes = may_go[there[pixels[:, None] + neighbours] @ bits]
            there[pixels[goes]] = 0
            pixels = pixels[~goes]
            unchanged = 0 if goes.any() else unchanged + 1
    y, x = np.divmod(pixels, row)
    flat: NDArray[np.intp] = (y - 1) * width + x - 1
    return flat


@cache
def _tables() -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """May a pixel with these neighbours go, in the first and in the second half of a pass?"""
    byte = np.arange(256)
    n = [(byte >> i & 1).astype(bool) for i in range(8)]
    crossings = sum(~n[i] & (n[i + 1] | n[(i + 2) % 8]) for i in (0, 2, 4, 6))
    one = sum((n[i] | n[i + 1]).astype(int) for i in (0, 2, 4, 6))
    other = sum((n[i] | n[(i + 1) % 8]).astype(int) for i in (1, 3, 5, 7))
    fewest = np.minimum(one, other)
    either = (np.asarray(crossings) == 1) & (fewest >= 2) & (fewest <= 3)
    first = either & ~((n[1] | n[2] | ~n[7]) & n[0])
    second = either & ~((n[5] | n[6] | ~n[3]) & n[4])
    return first, second
