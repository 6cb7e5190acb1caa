"""JPEG 2000: the boxes that pixels are made of, and white at the largest value of its bits."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import features
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

from sakedge.images.blob import Blob
from sakedge.images.codecs.base import Encoded, Unsupported, by_pillow

_JP2 = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
_CODESTREAM = b"\xff\x4f\xff\x51"
_PIXELS = (b"jP  ", b"ftyp", b"jp2h", b"jp2c")
_PALETTE = b"pclr"


def is_jpeg2000(head: bytes) -> bool:
    """Whether a file begins as JPEG 2000 does, as JP2 or as a bare codestream."""
    return head.startswith((_JP2, _CODESTREAM))


def open_jpeg2000(blob: Blob) -> Encoded:
    """Reads the header of a JPEG 2000 file."""
    if not features.check("jpg_2000"):
        raise Unsupported("JPEG 2000, for which this Pillow was built without a decoder")
    data = blob.read()
    boxes = _boxes(data) if data.startswith(_JP2) else {}
    if boxes:
        data = b"".join(boxes.values())
    bits = _bits(data)
    if len(set(bits)) > 1 or bits[0] > (16 if len(bits) == 1 else 8):
        # Of more bits Pillow makes numbers that overflow: white turns black.
        raise Unsupported(f"JPEG 2000 of samples of {', '.join(map(str, bits))} bits")
    encoded = by_pillow(Jpeg2KImageFile, data)
    if bits[0] in (8, 16) or _PALETTE in boxes.get(b"jp2h", b""):
        return encoded
    return encoded._replace(decode=lambda: _whitened(encoded.decode(), bits[0]))


def _boxes(data: bytes) -> dict[bytes, bytes]:
    """The boxes of a JP2 file that pixels are made of, the first of each kind."""
    kept: dict[bytes, bytes] = {}
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if length == 1:
            length = int.from_bytes(data[at + 8 : at + 16], "big")
        if length == 0:
            length = len(data) - at
        if length < 8:
            raise ValueError("a box has no length")
        if kind in _PIXELS:
            kept.setdefault(kind, data[at : at + length])
        at += length
    return kept


def _bits(data: bytes) -> list[int]:
    """Bits per sample of each component, from the codestream's header."""
    start = data.index(_CODESTREAM) + 40
    (count,) = struct.unpack_from(">H", data, start)
    return [(kind & 0x7F) + 1 for kind in data[start + 2 : start + 2 + 3 * count : 3]]


def _whitened(pixels: NDArray[Any], bits: int) -> NDArray[Any]:
    """Pillow moves the bits of samples up, which leaves white below the largest value."""
    largest, white = (1 << bits) - 1, int(np.iinfo(pixels.dtype).max)
    samples = pixels.astype(np.uint32) >> (8 * pixels.itemsize - bits)
    scaled: NDArray[Any] = (samples * np.uint32(white) + largest // 2) // largest
    return scaled.astype(pixels.dtype)
