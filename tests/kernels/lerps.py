"""Where kernels interpolate along an axis: (low, high, low weight, high weight), see `Lerp`.

Written from the definition of a lerp in `kernel_table.h`; the compiled module has its own, in
`csrc/image/interpolation.cpp`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sakedge.images.window import Window

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


def _lerps(at: F64, cells: int) -> F64:
    """`at` in cells, a cell's centre at its index."""
    at = np.clip(at, 0, cells - 1)
    low = np.floor(at)
    share = at - low
    return np.stack([low, np.minimum(low + 1, cells - 1), 1 - share, share], -1)


def expansion(cells: int, out: int) -> F32:
    """Of each output position's left neighbour, itself and its right one: [out, 3, 4]."""
    padded = np.zeros((out + 2, 4))
    padded[1:-1] = _lerps((np.arange(out) + 0.5) * cells / out - 0.5, cells)
    return np.stack([padded[:-2], padded[1:-1], padded[2:]], 1).astype(np.float32)


def window(w: Window, shape: tuple[int, ...], extent: tuple[int, int]) -> tuple[F32, F32]:
    """Rows [height, 4] and columns [width, 4] of a window on a map that spans `extent` pixels."""
    axes = ((w.height, w.scale_y, w.top), (w.width, w.scale_x, w.left))
    rows, columns = (
        _lerps(((np.arange(n) + 0.5) * scale + start) * cells / pixels - 0.5, cells)
        for (n, scale, start), cells, pixels in zip(axes, shape[:2], extent, strict=True)
    )
    return rows.astype(np.float32), columns.astype(np.float32)


def sampled(plane: F32, rows: F32, columns: F32) -> F64:
    """Samples [height, width, classes] of a map at these lerps, in float64."""

    def along(values: F64, lerps: F32) -> F64:
        low, high = lerps[:, 0].astype(int), lerps[:, 1].astype(int)
        shares = lerps[:, 2:].astype(np.float64).reshape(-1, 2, *[1] * (values.ndim - 1))
        return values[low] * shares[:, 0] + values[high] * shares[:, 1]

    between = along(plane.astype(np.float64), rows)
    return along(between.swapaxes(0, 1), columns).swapaxes(0, 1)
