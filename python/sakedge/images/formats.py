"""The formats of images, told by content and never by a file's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, NamedTuple

from sakedge.images.blob import Blob
from sakedge.images.codecs import gif, jpeg, jpeg2000, netpbm, others, png, tga, tiff, webp
from sakedge.images.codecs.base import Encoded


class Format(NamedTuple):
    """A format of image files.

    Attributes:
        name: As the documentation has it.
        is_one: Whether a file is of it.
        open: Reads its header; raises anything where the file is damaged.
    """

    name: str
    is_one: Callable[[bytes, Blob], bool]
    open: Callable[[Blob], Encoded]


def _begins(magics: tuple[bytes, ...]) -> Callable[[bytes, Blob], bool]:
    return lambda head, _: head.startswith(magics)


def _head(test: Callable[[bytes], bool]) -> Callable[[bytes, Blob], bool]:
    return lambda head, _: test(head)


# What has no magic number comes last.
FORMATS = (
    Format("PNG", _begins((png.MAGIC,)), png.open_png),
    Format("JPEG", _begins((jpeg.MAGIC,)), jpeg.open_jpeg),
    Format("TIFF", _begins(tiff.MAGICS), tiff.open_tiff),
    Format("BMP", _head(others.is_bmp), others.open_bmp),
    Format("WebP", _head(webp.is_webp), webp.open_webp),
    Format("GIF", _begins(gif.MAGICS), gif.open_gif),
    Format("Netpbm", _head(netpbm.is_netpbm), netpbm.open_netpbm),
    Format("JPEG 2000", _head(jpeg2000.is_jpeg2000), jpeg2000.open_jpeg2000),
    Format("AVIF", _head(others.is_avif), others.open_avif),
    Format("DIB", _head(others.is_dib), others.open_dib),
    Format("TGA", lambda _, blob: tga.is_tga(blob), tga.open_tga),
)
"""Everything that is read. No decoder of these starts a program or opens another file."""

NAMES = ", ".join(each.name for each in FORMATS)
_HEAD = 64


def find_format(blob: Blob) -> Format | None:
    """The format of an encoded image, or None for what is none.

    Raises:
        ImageError, StorageError: It cannot be read.
    """
    head = blob.read(0, _HEAD)
    found = next((each for each in FORMATS if each.is_one(head, blob)), None)
    if found is not None and found.name == "JPEG" and jpeg.is_motion(blob):
        return None
    return found


def format_of(file: BinaryIO) -> str | None:
    """The format of an image file, or None for what is none. Decodes no pixels.

    JPEG pictures of one size that follow one another are a video, not an image.

    Args:
        file: At its start; its position afterwards is undefined.

    Raises:
        ImageError, StorageError: It cannot be read.
    """
    found = find_format(Blob(file, "the file"))
    return None if found is None else found.name
