"""PNG: the chunks that pixels are made of, with all their bits."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngImageFile

from sakedge.images.blob import Blob
from sakedge.images.codecs.base import Encoded, by_pillow
from sakedge.images.orientation import orientation_in
from sakedge.images.pillow import bytes_of

MAGIC = b"\x89PNG\r\n\x1a\n"
_PIXELS = (b"IHDR", b"PLTE", b"IDAT")
_END = b"\0\0\0\0IEND\xaeB`\x82"
_GREY, _RGB, _GREY_ALPHA, _RGB_ALPHA = 0, 2, 4, 6  # colour types


def open_png(blob: Blob) -> Encoded:
    """Reads the header and the chunks of a PNG file."""
    data = memoryview(blob.read())
    pieces: list[bytes | memoryview] = [MAGIC]
    exif = b""
    at = len(MAGIC)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if kind in _PIXELS:
            _check_crc(data[at + 4 : at + 8 + length], data[at + 8 + length : end])
            pieces.append(data[at:end])
        elif kind == b"eXIf":
            exif = bytes(data[at + 8 : end - 4])
        elif kind == b"IEND":
            break
        at = end
    pieces.append(_END)
    orientation = orientation_in(exif)
    width, height, depth, color = struct.unpack_from(">IIBB", data, len(MAGIC) + 8)
    if depth != 16 or color not in (_GREY, _RGB, _GREY_ALPHA, _RGB_ALPHA):
        return by_pillow(PngImageFile, b"".join(pieces), orientation)
    channels = {_GREY: 1, _RGB: 3, _GREY_ALPHA: 2, _RGB_ALPHA: 4}[color]
    return Encoded(
        (height, width),
        2 * channels * height * width,
        lambda: _decode_16(pieces, color),
        orientation,
    )


def _check_crc(body: memoryview, crc: memoryview) -> None:
    if len(crc) == 4 and int.from_bytes(crc, "big") != zlib.crc32(body):
        raise ValueError(f"the checksum of a chunk {bytes(body[:4]).decode()} is wrong")


def _decode_16(pieces: list[bytes | memoryview], color: int) -> NDArray[np.uint16]:
    """Decodes 16-bit samples, which Pillow cuts to 8 bits.

    Grey has as many bytes per pixel as 8-bit grey with alpha, and grey with alpha as 8-bit RGB
    with alpha: under those names Pillow gives all bytes. RGB is decoded twice, for Pillow keeps
    the high byte of either byte order.
    """
    if color in (_GREY, _GREY_ALPHA):
        disguise = _GREY_ALPHA if color == _GREY else _RGB_ALPHA
        data = b"".join([pieces[0], _as_8_bits(bytes(pieces[1]), disguise), *pieces[2:]])
        samples = bytes_of(PngImageFile(io.BytesIO(data)))
        return _joined(samples[..., 0], samples[..., 1])
    data = b"".join(pieces)
    name = "RGB" if color == _RGB else "RGBA"
    high = _decode_as(data, f"{name};16B")
    return _joined(high, _decode_as(data, f"{name};16L"))


def _as_8_bits(header: bytes, color: int) -> bytes:
    body = header[4:16] + bytes([8, color]) + header[18:21]
    return header[:4] + body + struct.pack(">I", zlib.crc32(body))


def _decode_as(data: bytes, layout: str) -> NDArray[Any]:
    image = PngImageFile(io.BytesIO(data))
    decoder, extents, offset, _ = image.tile[0]
    image.tile = [(decoder, extents, offset, layout)]  # type: ignore[list-item]
    return bytes_of(image)[..., :3]


def _joined(high: NDArray[np.uint8], low: NDArray[np.uint8]) -> NDArray[np.uint16]:
    joined = high.astype(np.uint16)
    joined <<= 8
    joined |= low
    return joined
