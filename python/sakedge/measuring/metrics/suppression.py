"""Non-maximum suppression of boundary maps, as the official evaluation of boundaries does it.

That is `edgesNms` of the Structured Edge Detection Toolbox, with its parameters: a pixel is
suppressed where the map is more than 1 % higher one pixel away across the boundary. Which way is
across is found as Canny does, from second derivatives of a smoothed map.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SMOOTHING = 4
"""Radius of the triangle filter, in pixels."""

MARGIN = 1.01
"""By how much a neighbour must be higher."""

FRAME = 5
"""Pixels at the image's border over which the map fades: it has no neighbours to be smoothed by."""

_Map = NDArray[np.float32]
_Pixels = tuple[NDArray[np.intp], ...]


def suppressed(boundary: _Map, least: float) -> _Map:
    """The map where it is a ridge and at least `least`, 0 elsewhere.

    Args:
        boundary: Probabilities [h, w].
        least: What is lower need not be looked at.
    """
    height, width = boundary.shape
    y, x = pixels = np.nonzero(boundary >= least)
    angle = _across(boundary, pixels)
    dy, dx = np.sin(angle), np.cos(angle)
    value = boundary[pixels]
    neighbour = np.maximum(*(_sample(boundary, y + s * dy, x + s * dx) for s in (-1, 1)))
    from_border = np.minimum(np.minimum(y, height - 1 - y), np.minimum(x, width - 1 - x))
    value = np.where(neighbour > value * MARGIN, 0, value * np.minimum(1, from_border / FRAME))
    found = np.zeros_like(boundary)
    found[pixels] = np.where(value >= least, value, 0)
    return found


def _across(boundary: _Map, pixels: _Pixels) -> _Map:
    """The direction across the boundary at some pixels, in radians from 0 to π."""
    pad = SMOOTHING + 2  # for the filter, and for two derivatives
    smooth = np.pad(boundary, pad, mode="symmetric")
    weights = np.minimum(np.arange(1, 2 * SMOOTHING + 2), np.arange(2 * SMOOTHING + 1, 0, -1))
    for axis in (0, 1):
        smooth = _filtered(smooth, (weights / weights.sum()).astype(np.float32), axis)
    dy, dx = np.gradient(smooth)
    dyy, dxy = np.gradient(dy)
    dxx = np.gradient(dx, axis=1)
    yy, xy, xx = (d[2:-2, 2:-2][pixels] for d in (dyy, dxy, dxx))
    angle = np.arctan2(np.where(xy > 0, -yy, yy), xx + np.float32(1e-5))
    return np.asarray(np.mod(angle, np.float32(np.pi)), np.float32)


def _filtered(values: _Map, weights: _Map, axis: int) -> _Map:
    length = values.shape[axis] - len(weights) + 1
    parts = (np.take(values, range(i, i + length), axis) * w for i, w in enumerate(weights))
    return np.asarray(sum(parts), np.float32)


def _sample(values: _Map, y: _Map, x: _Map) -> _Map:
    """Values between pixels, bilinear; beyond the border those at the border."""
    height, width = values.shape
    y, x = np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)
    top, left = y.astype(np.intp), x.astype(np.intp)
    low, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    down, along = y - top, x - left
    upper = values[top, left] * (1 - along) + values[top, right] * along
    lower = values[low, left] * (1 - along) + values[low, right] * along
    return np.asarray(upper * (1 - down) + lower * down, np.float32)
