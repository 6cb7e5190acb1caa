"""Formats whose files Pillow reads as they are: BMP and DIB, AVIF."""

from __future__ import annotations

import io
import re
import struct

from PIL import AvifImagePlugin
from PIL.BmpImagePlugin import BmpImageFile, DibImageFile

from sakedge.images.blob import Blob
from sakedge.images.codecs.base import Encoded, Unsupported, by_pillow, of_pillow
from sakedge.images.orientation import orientation_in

_DIB_HEADERS = (12, 40, 52, 56, 64, 108, 124)
_DIB_BITS = (1, 2, 4, 8, 16, 24, 32)
_RUN_LENGTHS = (1, 2)
_WIDEST_RUNS = 1 << 16

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
    data = blob.read()
    _check_runs(data[14:34])
    return by_pillow(BmpImageFile, data)


def open_dib(blob: Blob) -> Encoded:
    """Reads the header of a DIB file."""
    data = blob.read()
    _check_runs(data[:20])
    return by_pillow(DibImageFile, data)


def _check_runs(head: bytes) -> None:
    """Pillow before 13 makes room for up to 255 rows behind the last one (CVE-2026-96638)."""
    length, width = struct.unpack_from("<II", head)
    (compression,) = struct.unpack_from("<I", head, 16)
    if length > 12 and compression in _RUN_LENGTHS and width > _WIDEST_RUNS:
        raise Unsupported(f"run-length coded BMP of {width} columns")


def is_avif(head: bytes) -> bool:
    """Whether a file begins as AVIF does."""
    length = int.from_bytes(head[:4], "big")
    brands = head[8 : min(length, len(head))]
    return head[4:8] == b"ftyp" and any(
        brands[i : i + 4] in (b"avif", b"avis") for i in range(0, len(brands), 4) if i != 4
    )


def open_avif(blob: Blob) -> Encoded:
    """Reads the header of an AVIF file.

    How it is turned its own boxes say, not its EXIF, which is hidden; Pillow tells it as EXIF.
    """
    if not AvifImagePlugin.SUPPORTED:
        raise Unsupported("AVIF, for which this Pillow was built without a decoder")
    image = AvifImagePlugin.AvifImageFile(io.BytesIO(_EXIF_ITEM.sub(rb"\1free", blob.read())))
    return of_pillow(image, orientation_in(image.info.get("exif", b"")))
