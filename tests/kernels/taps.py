"""Where kernels interpolate along an axis: (low, high, low weight, high weight), see `Tap`.

Written from what `kernel_table.h` says of a tap; the decoder has its own, in `decoder/axis.cpp`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sakedge.decoder import Window

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


def _taps(at: F64, cells: int) -> F64:
    """`at` in cells, a cell's centre at its index."""
    at = np.clip(at, 0, cells - 1)
    low = np.floor(at)
    share = at - low
    return np.stack([low, np.minimum(low + 1, cells - 1), 1 - share, share], -1)


def expansion(cells: int, out: int) -> F32:
    """Of each output position's left neighbour, itself and its right one: [out, 3, 4]."""
    padded = np.zeros((out + 2, 4))
    padded[1:-1] = _taps((np.arange(out) + 0.5) * cells / out - 0.5, cells)
    return np.stack([padded[:-2], padded[1:-1], padded[2:]], 1).astype(np.float32)


def window(w: Window, shape: tuple[int, ...], extent: tuple[int, int]) -> tuple[F32, F32]:
    """Rows [height, 4] and columns [width, 4] of a window on a map that spans `extent` pixels."""
    axes = ((w.height, w.scale_y, w.top), (w.width, w.scale_x, w.left))
    rows, columns = (
        _taps(((np.arange(n) + 0.5) * scale + start) * cells / pixels - 0.5, cells)
        for (n, scale, start), cells, pixels in zip(axes, shape[:2], extent, strict=True)
    )
    return rows.astype(np.float32), columns.astype(np.float32)
