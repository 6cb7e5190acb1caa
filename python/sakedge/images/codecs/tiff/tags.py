"""The fields of a TIFF file's first directory; only those that pixels depend on are read."""

from __future__ import annotations

import struct
from typing import Literal, NamedTuple

import numpy as np

from sakedge.images.blob import Blob

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
FILL_ORDER, ORIENTATION, SAMPLES, PLANAR = 266, 274, 277, 284
STRIP_OFFSETS, ROWS_PER_STRIP, STRIP_COUNTS = 273, 278, 279
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_COUNTS = 322, 323, 324, 325
PREDICTOR, COLOR_MAP, INK_SET, EXTRA_SAMPLES, SAMPLE_FORMAT = 317, 320, 332, 338, 339
BLACK, WHITE = 340, 341  # SMinSampleValue, SMaxSampleValue
T4_OPTIONS, T6_OPTIONS, JPEG_TABLES = 292, 293, 347
YCBCR_COEFFICIENTS, YCBCR_SUBSAMPLING, YCBCR_POSITIONING, REFERENCE = 529, 530, 531, 532

TO_DECODE = (
    *(T4_OPTIONS, T6_OPTIONS, JPEG_TABLES, INK_SET, EXTRA_SAMPLES, SAMPLE_FORMAT, COLOR_MAP),
    *(YCBCR_COEFFICIENTS, YCBCR_SUBSAMPLING, YCBCR_POSITIONING, REFERENCE),
)
"""Fields that are passed on to Pillow as they are."""
_WANTED = {
    *(WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, ORIENTATION, SAMPLES, PLANAR),
    *(STRIP_OFFSETS, ROWS_PER_STRIP, STRIP_COUNTS, PREDICTOR, BLACK, WHITE),
    *(TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_COUNTS, *TO_DECODE),
}

_TYPES = {
    1: "u1",
    2: "u1",
    3: "u2",
    4: "u4",
    5: "2u4",
    6: "i1",
    7: "u1",
    8: "i2",
    9: "i4",
    10: "2i4",
    11: "f4",
    12: "f8",
    13: "u4",
    16: "u8",
    17: "i8",
    18: "u8",
}
_MOST_ENTRIES = 1 << 16

ByteOrder = Literal["<", ">"]


class Field(NamedTuple):
    """A field as it lies in the file."""

    kind: int
    length: int
    data: bytes


class Tags:
    """The fields of a directory.

    Attributes:
        order: Byte order of the file, `<` or `>`.
        fields: Tag → field.
    """

    def __init__(self, order: ByteOrder, fields: dict[int, Field]) -> None:
        self.order = order
        self.fields = fields

    @classmethod
    def read(cls, blob: Blob) -> Tags:
        """Reads the first directory; fields that point out of the file are as if missing."""
        head = blob.read(0, 16)
        order: ByteOrder = "<" if head[:2] == b"II" else ">"
        big = struct.unpack_from(f"{order}H", head, 2)[0] == 43
        (start,) = struct.unpack_from(f"{order}{'Q' if big else 'I'}", head, 8 if big else 4)
        counter, entry, word = ("Q", "HHQ8s", 8) if big else ("H", "HHI4s", 4)
        width = struct.calcsize(f"{order}{entry}")
        length = struct.calcsize(counter)
        (count,) = struct.unpack(f"{order}{counter}", blob.read(start, length))
        entries = blob.read(start + length, min(count, _MOST_ENTRIES) * width)
        fields: dict[int, Field] = {}
        for at in range(0, len(entries) - width + 1, width):
            tag, kind, n, inline = struct.unpack_from(f"{order}{entry}", entries, at)
            if tag not in _WANTED or tag in fields or kind not in _TYPES:
                continue
            size = n * np.dtype(_TYPES[kind]).itemsize
            if size > word:
                (offset,) = struct.unpack(f"{order}{'Q' if big else 'I'}", inline)
                data = blob.read(offset, size)
            else:
                data = inline[:size]
            if data and len(data) == size:
                fields[tag] = Field(kind, n, data)
        return cls(order, fields)

    def numbers(self, tag: int) -> list[float]:
        """A field's values, fractions as their quotient; none where it is missing."""
        if tag not in self.fields:
            return []
        field = self.fields[tag]
        values = np.frombuffer(field.data, np.dtype(_TYPES[field.kind]).newbyteorder(self.order))
        if field.kind in (5, 10):
            return [float(a) / float(b) if b else float("nan") for a, b in values.reshape(-1, 2)]
        found: list[float] = values.tolist()
        return found

    def integers(self, tag: int) -> list[int]:
        """A field's values as integers; none where it is missing or holds anything else."""
        values = self.numbers(tag)
        return [int(v) for v in values] if all(float(v).is_integer() for v in values) else []

    def integer(self, tag: int, default: int) -> int:
        """A field's first value as an integer."""
        return next(iter(self.integers(tag)), default)
