"""Formats whose pixels Pillow reads as they are: BMP and DIB, JPEG 2000, AVIF."""

from __future__ import annotations

import re
import struct
from importlib import import_module

from PIL import features
from PIL.BmpImagePlugin import BmpImageFile, DibImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

from sakedge.images.blob import Blob
from sakedge.images.codecs.base import Encoded, Unsupported, by_pillow

_DIB_HEADERS = (12, 40, 52, 56, 64, 108, 124)
_DIB_BITS = (1, 2, 4, 8, 16, 24, 32)

_JP2 = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
_CODESTREAM = b"\xff\x4f\xff\x51"
_JP2_PIXELS = (b"jP  ", b"ftyp", b"jp2h", b"jp2c")

_EXIF_ITEM = re.compile(rb"(infe[\x02\x03]...(?:..|....)..)Exif", re.DOTALL)


def is_dib(head: bytes) -> bool:
    """Whether a file begins with a bitmap's header, without the file header of BMP."""
    if len(head) < 20:
        return False
    (length,) = struct.unpack_from("<I", head)
    planes, bits = struct.unpack_from("<HH", head, 8 if length == 12 else 12)
    return length in _DIB_HEADERS and planes == 1 and bits in _DIB_BITS


def is_bmp(head: bytes) -> bool:
    """Whether a file begins as BMP does."""
    return head[:2] == b"BM" and is_dib(head[14:])


def open_bmp(blob: Blob) -> Encoded:
    """Reads the header of a BMP file."""
    return by_pillow(BmpImageFile, blob.read())


def open_dib(blob: Blob) -> Encoded:
    """Reads the header of a DIB file."""
    return by_pillow(DibImageFile, blob.read())


def is_jpeg2000(head: bytes) -> bool:
    """Whether a file begins as JPEG 2000 does, as JP2 or as a bare codestream."""
    return head.startswith((_JP2, _CODESTREAM))


def open_jpeg2000(blob: Blob) -> Encoded:
    """Reads the header of a JPEG 2000 file."""
    if not features.check("jpg_2000"):
        raise Unsupported("JPEG 2000, for which this Pillow was built without a decoder")
    data = blob.read()
    if data.startswith(_JP2):
        data = b"".join(_boxes(data))
    return by_pillow(Jpeg2KImageFile, data)


def _boxes(data: bytes) -> list[bytes]:
    """The boxes of a JP2 file that pixels are made of."""
    kept = []
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if length == 1:
            length = int.from_bytes(data[at + 8 : at + 16], "big")
        if length == 0:
            length = len(data) - at
        if length < 8:
            raise ValueError("a box has no length")
        if kind in _JP2_PIXELS:
            kept.append(data[at : at + length])
        at += length
    return kept


def is_avif(head: bytes) -> bool:
    """Whether a file begins as AVIF does."""
    length = int.from_bytes(head[:4], "big")
    brands = head[8 : min(length, len(head))]
    return head[4:8] == b"ftyp" and any(
        brands[i : i + 4] in (b"avif", b"avis") for i in range(0, len(brands), 4) if i != 4
    )


def open_avif(blob: Blob) -> Encoded:
    """Reads the header of an AVIF file. How it is turned its own boxes say, not EXIF."""
    if not features.check("avif"):
        raise Unsupported("AVIF, for which this Pillow was built without a decoder")
    plugin = import_module("PIL.AvifImagePlugin").AvifImageFile
    return by_pillow(plugin, _EXIF_ITEM.sub(rb"\1free", blob.read()))
