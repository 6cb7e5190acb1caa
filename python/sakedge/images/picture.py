"""An image that was read, and what counts as one to read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sakedge.errors import ImageError
from sakedge.images.device import DevicePixels

Color = Literal["rgb", "bgr"]
COLORS: tuple[Color, ...] = ("rgb", "bgr")


@dataclass(frozen=True, eq=False)
class Picture:
    """An image that was read.

    Attributes:
        pixels: RGB [H, W, 3], uint8, uint16 (0…65535) or float32 (0…1); or `DevicePixels`.
        source: Where it came from, e.g. the path; None for an array.
        frame: Its number in a video, from 0; None for an image of its own.
    """

    pixels: Any
    source: str | None = None
    frame: int | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @property
    def is_on_device(self) -> bool:
        """Whether it lies in the memory of a CUDA device."""
        return isinstance(self.pixels, DevicePixels)

    @property
    def host_pixels(self) -> NDArray[Any]:
        """The pixels, for what is done with them on the host.

        Raises:
            ImageError: They lie on a device.
        """
        pixels = self.pixels.host if isinstance(self.pixels, DevicePixels) else self.pixels
        if pixels is None:
            raise ImageError(
                "an image on a device is used as it is: it is neither resized nor cut into tiles",
                expected="one that is no larger than the student's input, with fit='pad'",
                got=f"{self.size[0]} x {self.size[1]} (height x width)",
                remedy="Resize it there, or copy it to the host",
            )
        return np.asarray(pixels)

    def as_uint8(self) -> NDArray[np.uint8]:
        """The picture for display, uint8 RGB [H, W, 3]; shares memory where it is uint8 already."""
        pixels = self.host_pixels
        if pixels.dtype == np.uint8:
            return np.ascontiguousarray(pixels)
        if pixels.dtype == np.uint16:
            return (pixels >> 8).astype(np.uint8)
        return np.round(pixels * 255).astype(np.uint8)


class FileObject(Protocol):
    """A binary file that can seek."""

    def read(self, size: int = ..., /) -> bytes:
        """So many bytes from the position on, or all."""

    def seek(self, offset: int, whence: int = ..., /) -> object:
        """Moves the position."""

    def tell(self) -> int:
        """The position."""


ImageLike: TypeAlias = (
    "str | os.PathLike[str] | bytes | bytearray | memoryview | FileObject | NDArray[Any]"
    " | Image.Image | Picture"
)

_CLASSES = (
    *(str, os.PathLike, bytes, bytearray, memoryview),
    *(np.ndarray, Image.Image, Picture),
)


def is_file_object(image: object) -> bool:
    """Whether this can be read from, as files can."""
    try:
        return callable(getattr(image, "read", None))
    except Exception:  # attributes can be anybody's code
        return False


def is_one_image(image: object) -> bool:
    """Whether this is one image and not a list of them."""
    return isinstance(image, _CLASSES) or is_file_object(image)
