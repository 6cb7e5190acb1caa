"""The one thing wanted of EXIF: how the camera was held."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ORIENTATION = 0x112
_INTEGERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}  # types of TIFF fields
_ENTRY = 12


def orientation_in(exif: bytes) -> int:
    """The orientation in an EXIF block, 1…8; 1, upright, where it says none or is odd.

    Nothing else of the block is looked at.
    """
    block = exif[6:] if exif.startswith(b"Exif\0") else exif
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None or len(block) < 8:
        return 1
    (start,) = struct.unpack_from(f"{order}I", block, 4)
    entries = block[start + 2 :]
    count = int.from_bytes(block[start : start + 2], "little" if order == "<" else "big")
    for at in range(0, min(count * _ENTRY, len(entries) - _ENTRY + 1), _ENTRY):
        tag, kind, _ = struct.unpack_from(f"{order}HHI", entries, at)
        if tag == _ORIENTATION and kind in _INTEGERS:
            (value,) = struct.unpack_from(order + _INTEGERS[kind], entries, at + 8)
            return value if 1 <= value <= 8 else 1
    return 1


def upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Height and width of an image after it was turned upright."""
    return (size[1], size[0]) if orientation >= 5 else size


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turns an image [H, W, …] upright, by EXIF's eight orientations."""
    if orientation >= 5:  # stored by columns
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
