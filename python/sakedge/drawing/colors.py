"""Colours of the drawings: a palette for classes, two maps for values, and blending.

The maps are smoothed runs through anchors in OKLab (Björn Ottosson, "A perceptual color space for
image processing", 2020), with lightness rising evenly, so that equal steps of value look equal and
survive printing in grey.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# OKLab to linear sRGB, as published.
_TO_LMS = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)
# Lightness, chroma and hue in degrees; the whole run lies inside sRGB, where nothing is clipped.
_PERCEPTUAL = ((0.22, 0.09, 300.0), (0.46, 0.085, 245.0), (0.72, 0.11, 155.0), (0.94, 0.14, 108.0))
_HEAT = ((0.25, 0.05, 280.0), (0.50, 0.18, 370.0), (0.72, 0.16, 415.0), (0.96, 0.12, 465.0))
_SMOOTH = 97
_ROWS = 64
_GOLDEN_ANGLE = 180 * (3 - 5**0.5)


def _from_oklch(lch: NDArray[np.float64]) -> NDArray[np.uint8]:
    lightness, chroma, hue = lch[..., 0], lch[..., 1], np.radians(lch[..., 2])
    lab = np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=-1)
    linear = np.clip((lab @ _TO_LMS.T) ** 3 @ _TO_RGB.T, 0, 1)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    colors: NDArray[np.uint8] = np.round(255 * curved).astype(np.uint8)
    return colors


@cache
def _map(anchors: tuple[tuple[float, float, float], ...]) -> NDArray[np.uint8]:
    table = np.array(anchors)
    # An anchor's lightness sets its position, so that lightness rises evenly. The run continues
    # beyond both ends for the smoothing that removes kinks in chroma and hue.
    place = (table[:, 0] - table[0, 0]) / (table[-1, 0] - table[0, 0])
    at = np.linspace(0, 1, 256)
    window = np.hanning(_SMOOTH + 2)[1:-1]
    columns = [np.interp(at, place, table[:, i]) for i in range(3)]
    padded = [np.pad(c, _SMOOTH // 2, "reflect", reflect_type="odd") for c in columns]
    smooth = [np.convolve(c, window / window.sum(), "valid") for c in padded]
    return _from_oklch(np.stack(smooth, axis=-1))


def _look_up(table: NDArray[np.uint8], values: NDArray[np.floating]) -> NDArray[np.uint8]:
    colors: NDArray[np.uint8] = table[np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)]
    return colors


def perceptual(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Violet through blue and green to yellow, for values in 0…1: RGB [..., 3]."""
    return _look_up(_map(_PERCEPTUAL), values)


def heat(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Dark violet through red and orange to pale yellow, for values in 0…1: RGB [..., 3]."""
    return _look_up(_map(_HEAT), values)


@cache
def palette(count: int) -> NDArray[np.uint8]:
    """Colours for classes, uint8 [count, 3]: grey for the first, then hues far from each other."""
    index = np.arange(count)
    lightness = np.array([0.72, 0.60, 0.82])[index % 3]
    lch = np.stack([lightness, np.full(count, 0.16), 25 + _GOLDEN_ANGLE * index], axis=-1)
    colors = _from_oklch(lch)
    colors[:1] = 128
    return colors


def grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An RGB image without its colours, still with three channels."""
    return np.asarray(Image.fromarray(image).convert("L").convert("RGB"))


def blend(
    image: NDArray[np.uint8], color: NDArray[np.uint8], strength: NDArray[Any]
) -> NDArray[np.uint8]:
    """Mixes `color` into `image`, both RGB [h, w, 3], with a strength in 0…1 per pixel [h, w]."""
    mixed = np.empty_like(image)
    for top in range(0, len(image), _ROWS):  # in strips, whose temporaries stay in the cache
        rows = slice(top, top + _ROWS)
        part = strength[rows, :, np.newaxis].astype(np.float32)
        difference = color[rows].astype(np.float32) - image[rows]
        mixed[rows] = np.round(image[rows] + part * difference)
    return mixed
