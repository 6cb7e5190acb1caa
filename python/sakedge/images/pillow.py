"""From Pillow's images to arrays, a band of rows at a time: conversions need no second image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sakedge.errors import ImageError

_BAND = 1 << 20
"""Pixels that are converted at once."""
_GREY = ("1", "L", "LA", "La")


def pixels_of(image: Image.Image, name: str) -> NDArray[Any]:
    """Decodes and converts an image to grey [H, W] or RGB [H, W, 3].

    Grey of 16 bits or floats keeps its depth (uint16, float32); all else is uint8.

    Raises:
        ImageError: It holds integers beyond 16 bits.
        Exception: Whatever Pillow raises for a damaged file.
    """
    image.load()
    if image.mode == "F":
        return _banded(image, None, np.float32)
    if image.mode.startswith("I;16"):
        return _banded(image, None, np.uint16)
    if image.mode == "I":
        low, high = image.getextrema()
        if low < 0 or high > 65535:  # type: ignore[operator]
            raise ImageError(
                f"{name} holds integers beyond 16 bits",
                expected="grey values in 0…65535",
                got=f"{low}…{high}",
            )
        return _banded(image, None, np.uint16)
    if image.mode in _GREY:
        return _banded(image, "L", np.uint8)
    return _banded(image, "RGB", np.uint8)


def bytes_of(image: Image.Image) -> NDArray[np.uint8]:
    """The samples of an 8-bit image as they are, [H, W] or [H, W, channels]."""
    image.load()
    return _banded(image, None, np.uint8)


def _banded(image: Image.Image, mode: str | None, dtype: type[np.generic]) -> NDArray[Any]:
    mode = mode or image.mode
    channels = len(Image.new(mode, (1, 1)).getbands())
    shape = (image.height, image.width) if channels == 1 else (image.height, image.width, channels)
    out = np.empty(shape, dtype)
    rows = max(1, _BAND // image.width)
    for top in range(0, image.height, rows):
        box = (0, top, image.width, min(image.height, top + rows))
        # Old Pillow holds a crop against its limit; a small image needs none.
        band = image.crop(box) if rows < image.height else image.copy()
        band.info = {}  # a transparent colour changes no colour, but conversions stumble over it
        out[top : top + rows] = np.asarray(band if band.mode == mode else band.convert(mode))
    return out
