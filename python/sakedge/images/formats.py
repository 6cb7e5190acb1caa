"""The formats of images, told by content and never by a file's name."""

from __future__ import annotations

from typing import BinaryIO

from PIL import Image

FORMATS = (
    "PNG",
    "JPEG",
    "MPO",
    "TIFF",
    "BMP",
    "DIB",
    "WEBP",
    "GIF",
    "PPM",
    "JPEG2000",
    "AVIF",
    "TGA",
)
"""Pillow's names of what is read. None of its plugins starts another program."""


def format_of(file: BinaryIO) -> str | None:
    """The format of an image file, or None for what is none. Decodes no pixels.

    Args:
        file: At its start; its position afterwards is undefined.
    """
    try:
        with Image.open(file, formats=FORMATS) as image:
            return str(image.format)
    except Exception:  # a hostile header makes Pillow's plugins raise anything
        return None
