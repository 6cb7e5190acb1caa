"""Image files made byte by byte, for what no library writes."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

TYPES = {1: "B", 3: "H", 4: "I", 9: "i", 11: "f", 12: "d", 16: "Q"}


def save(image: np.ndarray, name: str, **options: Any) -> bytes:
    """An image as Pillow writes it."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, name, **options)
    return file.getvalue()


def exif(*entries: bytes, tail: bytes = b"") -> bytes:
    """An EXIF block of raw entries; what lies behind them begins at 14 + 12 per entry."""
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return b"Exif\0\0II*\0\x08\0\0\0" + directory + tail


TURNED = struct.pack("<HHIHH", 0x112, 3, 1, 6, 0)
"""The entry of a camera that was rotated."""


def with_app1(jpeg: bytes, body: bytes, wrong_by: int = 0) -> bytes:
    """A JPEG file with a segment of metadata in front, whose length may be wrong."""
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2 + wrong_by) + body + jpeg[2:]


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunk(png: bytes, extra: bytes) -> bytes:
    """A PNG file with a chunk behind its header."""
    return png[:33] + extra + png[33:]


def png_header(height: int, width: int, depth: int = 8, color: int = 2) -> bytes:
    """A PNG file that is nothing but its header."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def packed(values: np.ndarray, bits: int, order: str) -> bytes:
    """Unsigned samples of any number of bits, those of whole bytes in a byte order."""
    if bits in (8, 16, 32, 64):
        return values.astype(f"{order}u{bits // 8}").tobytes()
    if bits == 24 and order == "<":
        return b"".join(int(value).to_bytes(3, "little") for value in values)
    text = "".join(f"{int(value):0{bits}b}" for value in values)
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


def tiff(
    chunks: Sequence[bytes],
    size: tuple[int, int],
    *,
    bits: int = 8,
    samples: int = 1,
    photometric: int = 1,
    order: str = "<",
    big: bool = False,
    tile: tuple[int, int] | None = None,
    fields: dict[int, tuple[int, Sequence[float]]] | None = None,
) -> bytes:
    """A TIFF file of these strips or tiles.

    Args:
        chunks: Their bytes; strips are as high as divides the image evenly, rounded up.
        size: Height and width.
        bits: Of each sample.
        samples: Of each pixel.
        photometric: How they are to be seen.
        order: Byte order.
        big: Whether to write BigTIFF.
        tile: Height and width of a tile.
        fields: More fields, tag → type and values.
    """
    start = 16 if big else 8
    word, count, offset = (8, "Q", "Q") if big else (4, "H", "I")
    body = b"".join(chunks)
    body += bytes(len(body) % 2)
    starts = [start + sum(map(len, chunks[:i])) for i in range(len(chunks))]
    lengths = [len(each) for each in chunks]
    found: dict[int, tuple[int, Sequence[float]]] = {
        256: (4, [size[1]]),
        257: (4, [size[0]]),
        258: (3, [bits] * samples),
        259: (3, [1]),
        262: (3, [photometric]),
        277: (3, [samples]),
    }
    if tile:
        found |= {322: (4, [tile[1]]), 323: (4, [tile[0]]), 324: (4, starts), 325: (4, lengths)}
    else:
        rows = -(-size[0] // len(chunks))
        found |= {273: (16 if big else 4, starts), 278: (4, [rows]), 279: (4, lengths)}
    found |= fields or {}
    at = start + len(body)
    after = at + struct.calcsize(count) + (20 if big else 12) * len(found) + word
    entries = values = b""
    for tag, (kind, numbers) in sorted(found.items()):
        data = struct.pack(f"{order}{len(numbers)}{TYPES[kind]}", *numbers)
        entries += struct.pack(f"{order}HH{offset}", tag, kind, len(numbers))
        if len(data) <= word:
            entries += data.ljust(word, b"\0")
        else:
            entries += struct.pack(f"{order}{offset}", after + len(values))
            values += data
    magic = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}H", 43 if big else 42)
    magic += struct.pack(f"{order}HHQ", 8, 0, at) if big else struct.pack(f"{order}I", at)
    return (
        magic + body + struct.pack(f"{order}{count}", len(found)) + entries + bytes(word) + values
    )
