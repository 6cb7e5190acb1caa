"""Reading any image that a caller hands over, by stated rules.

| given | becomes |
|---|---|
| uint8 | used as it is |
| uint16 | divided by 65535 |
| float | must be finite and in 0…1 |
| grey ([H, W] or [H, W, 1]) | the same in all three channels |
| four channels | the fourth (alpha) is dropped, as OpenCV's and Pillow's RGB conversions do |
| a file, its bytes or a file object | told by its content; turned by its EXIF orientation; of several frames the first is read |
| a PIL image or an array | taken as it stands |
| RGB uint8 on a CUDA device, which lends it by DLPack | stays there |
"""  # noqa: E501

from __future__ import annotations

import io
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from sakedge.arguments import one_of
from sakedge.errors import ImageError, OptionError
from sakedge.images.arrays import from_array
from sakedge.images.blob import Blob, open_regular
from sakedge.images.checks import calling, check_picture, checked_floats, decoding, three_channels
from sakedge.images.device import from_device, is_on_device
from sakedge.images.encoded import decode
from sakedge.images.limits import Limits
from sakedge.images.picture import COLORS, Color, ImageLike, Picture, is_file_object
from sakedge.images.pillow import pixels_of

_LOADED_BY_PROGRAMS = ("EPS", "WMF", "EMF")


def read(
    image: ImageLike,
    color: Color = "rgb",
    *,
    max_pixels: int | None = None,
    largest: tuple[int, int] | None = None,
) -> Picture:
    """Reads one image.

    Args:
        image: A path, an encoded image as bytes or as a binary file object at its start, an array
            [H, W], [H, W, 1], [H, W, 3] or [H, W, 4], or a PIL image.
        color: Channel order of an array: `rgb`, or `bgr` for OpenCV's.
        max_pixels: Most pixels that it may have, by default `limits.MAX_PIXELS`; a file may decode
            to four bytes for each of them. A file is judged by its header.
        largest: Height and width of an input that it has to fit into at its own scale.

    Raises:
        ImageError: It is not an image, is damaged, empty, too large, or of an unknown layout.
        StorageError: The file cannot be opened or read.
        OptionError: `color` is neither, or is `bgr` for something that is not an array;
            `max_pixels` is no positive integer.
    """
    one_of("color", color, COLORS)
    limits = Limits.of(max_pixels, largest)
    if isinstance(image, Picture):
        if not image.is_on_device:
            check_picture(image.pixels)
        limits.check(image.size, image.source or "the image")
        return image
    if isinstance(image, np.ndarray):
        with calling("the array", "a NumPy array"):
            return Picture(three_channels(from_array(image, color, limits)))
    if color != "rgb":
        raise OptionError(
            "color='bgr' is for arrays only",
            expected="color='rgb', as files and PIL images have their own order",
            got=f"color='bgr' with a {type(image).__name__}",
        )
    if is_on_device(image):
        return Picture(from_device(image, limits))
    if isinstance(image, Image.Image):
        return _from_pillow(image, limits)
    if isinstance(image, (str, os.PathLike)):
        return _from_path(image, limits)
    if isinstance(image, (bytes, bytearray, memoryview)):
        with calling("the encoded image", "contiguous bytes"):
            blob = Blob(io.BytesIO(image), "the encoded image")
        return Picture(_rgb(blob, limits))
    if is_file_object(image):
        return Picture(_rgb(Blob(image, "the file object"), limits))
    raise ImageError(
        "not an image",
        expected="a path, bytes, a file object, an array of height x width x 3, a PIL image, "
        "or a list of those",
        got=type(image).__name__,
    )


def _rgb(blob: Blob, limits: Limits) -> NDArray[Any]:
    with decoding(blob.name):
        return three_channels(checked_floats(decode(blob, limits), blob.name))


def _from_path(given: str | os.PathLike[str], limits: Limits) -> Picture:
    with calling("the path", "str, or an os.PathLike of str"):
        path = os.fspath(given)
    if not isinstance(path, str):
        raise ImageError(
            "the path of an image is no text",
            expected="str, or an os.PathLike of str",
            got=type(path).__name__,
            remedy="Use os.fsdecode(path)",
        )
    with open_regular(path) as file:
        return Picture(_rgb(Blob(file, path), limits), source=path)


def _from_pillow(image: Image.Image, limits: Limits) -> Picture:
    name = "the PIL image"
    with decoding(name):
        if (
            isinstance(image, ImageFile.ImageFile)
            and image.tile
            and image.format in _LOADED_BY_PROGRAMS
        ):
            raise ImageError(
                "the PIL image is not loaded yet, and loading it would start a program",
                got=str(image.format),
                remedy="Call image.load() first if you trust the file",
            )
        limits.check((image.height, image.width), name)
        pixels = checked_floats(pixels_of(image, name), name)
        return Picture(three_channels(pixels))
