"""What every format gives: an image whose header was read and that can be decoded."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, NamedTuple

from numpy.typing import NDArray
from PIL import ImageFile

from sakedge.images.pillow import pixels_of


class Unsupported(Exception):  # noqa: N818 - it becomes an ImageError, which names the file
    """A valid file with pixels of a kind that is not read; the message says which."""


class Encoded(NamedTuple):
    """An image whose header was read.

    Attributes:
        size: Height and width as stored.
        memory: Bytes that decoding takes up at least.
        decode: Returns grey [H, W] or RGB [H, W, 3] of uint8, uint16 or float32; raises anything
            where the file is damaged, and `Unsupported`.
        orientation: EXIF's number for how it is to be turned.
    """

    size: tuple[int, int]
    memory: int
    decode: Callable[[], NDArray[Any]]
    orientation: int = 1


def by_pillow(
    plugin: Callable[[io.BytesIO], ImageFile.ImageFile], data: bytes, orientation: int = 1
) -> Encoded:
    """An image that a plugin of Pillow decodes, called directly.

    `Image.open` would try other plugins, and judge the size by a global limit and by warnings.
    """
    return of_pillow(plugin(io.BytesIO(data)), orientation)


def of_pillow(image: ImageFile.ImageFile, orientation: int) -> Encoded:
    """An image that a plugin of Pillow has opened."""
    size = (image.height, image.width)
    return Encoded(size, size[0] * size[1], lambda: pixels_of(image, "the image"), orientation)
