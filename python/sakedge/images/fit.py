"""From a picture to the student's input, and the window that leads back.

The paper's order: RGB in 0…1, normalised, **then** padded with 0, the picture in the middle with
offset `difference // 2`. `letterbox` resizes first, keeping the aspect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sakedge.arguments import one_of
from sakedge.format.student.parts import Preprocess
from sakedge.images.limits import check_padding
from sakedge.images.picture import Picture
from sakedge.images.window import Window

FITS = ("pad", "letterbox", "tile")


@dataclass(frozen=True)
class View:
    """A picture's pixels as they lie on a student's input, with zeros around them once normalised.

    Attributes:
        pixels: RGB [h, w, 3], at most as large as the input, as a picture's.
        size: Height H and width W of the input.
        window: Where the picture's own pixels lie on the input.
    """

    pixels: Any
    size: tuple[int, int]
    window: Window

    @property
    def top(self) -> int:
        """Row of the input on which the first row of pixels lies."""
        return int(self.window.top)

    @property
    def left(self) -> int:
        """Column of the input on which the first column of pixels lies."""
        return int(self.window.left)


@dataclass(frozen=True)
class Normalizer:
    """Maps pixels to normalised input, `(value in 0…1 - mean) / std`, in float32."""

    preprocess: Preprocess

    def __call__(self, pixels: NDArray[Any]) -> NDArray[np.float32]:
        """Normalises RGB [h, w, 3] of uint8, uint16 or float32 in 0…1 to float32 [3, h, w].

        Scale and shift are rounded once each; with the two operations the error stays under
        2^-22 of the largest normalised value.
        """
        white = 1 if pixels.dtype == np.float32 else np.iinfo(pixels.dtype).max
        planes = np.empty((3, *pixels.shape[:2]), np.float32)
        for c, plane in enumerate(planes):
            mean, std = self.preprocess.mean[c], self.preprocess.std[c]
            np.copyto(plane, pixels[..., c])
            plane *= np.float32(1 / (white * std))
            plane -= np.float32(mean / std)
        return planes

    def input(self, view: View) -> NDArray[np.float32]:
        """The student's input float32 [3, H, W] of a view."""
        planes = self(view.pixels)
        height, width = planes.shape[1:]
        if (height, width) == view.size:
            return planes
        image = np.zeros((3, *view.size), np.float32)
        image[:, view.top : view.top + height, view.left : view.left + width] = planes
        return image

    def batch(self, views: Sequence[View]) -> NDArray[np.float32]:
        """The inputs of some views, float32 [batch, 3, H, W]."""
        if len(views) == 1:
            return self.input(views[0])[np.newaxis]
        return np.stack([self.input(view) for view in views])


def check_fit(fit: str) -> str:
    """Returns `fit` if it is valid.

    Raises:
        OptionError: It is not.
    """
    one_of("fit", fit, FITS)
    return fit


def pad(picture: Picture, size: tuple[int, int]) -> View:
    """Centres a picture on the input at its own scale.

    Args:
        picture: At most as large as `size`.
        size: Height and width of the input.

    Raises:
        ImageError: The picture is larger than the input.
    """
    check_padding(picture.size, size, picture.source or "the image")
    return place(picture.pixels, size)


def letterbox(picture: Picture, size: tuple[int, int]) -> View:
    """Resizes a picture to the largest size that fits, keeps its aspect, and centres it.

    Args, Returns: as for `pad`; the window leads back to the picture's own size.
    """
    height, width = picture.size
    scale = min(size[0] / height, size[1] / width)
    inner = (
        min(size[0], max(1, round(height * scale))),
        min(size[1], max(1, round(width * scale))),
    )
    same = inner == picture.size
    view = place(picture.pixels if same else resize(picture.host_pixels, inner), size)
    scales = inner[0] / height, inner[1] / width
    return replace(view, window=Window(height, width, view.top, view.left, *scales))


def place(pixels: Any, size: tuple[int, int]) -> View:
    """Centres RGB [h, w, 3] on an input of (height, width), with offset difference // 2."""
    height, width = pixels.shape[:2]
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    return View(pixels, size, Window(height, width, top, left))


def resize(pixels: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Resizes RGB [h, w, 3] to `size` (height, width), bilinear, with antialiasing when it shrinks.

    uint8 stays uint8; uint16 becomes float32 in 0…1.
    """
    if pixels.shape[:2] == size:
        return pixels
    shape = (size[1], size[0])
    if pixels.dtype == np.uint8:
        small = Image.fromarray(pixels).resize(shape, Image.Resampling.BILINEAR)
        return np.asarray(small)
    if pixels.dtype == np.uint16:
        pixels = pixels.astype(np.float32) / np.float32(65535)
    planes = [Image.fromarray(np.ascontiguousarray(pixels[..., c])) for c in range(3)]
    return np.stack(
        [np.asarray(p.resize(shape, Image.Resampling.BILINEAR)) for p in planes], axis=-1
    )
