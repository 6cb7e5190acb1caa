"""Where the bytes of a TIFF image lie, and reading them decompressed."""

from __future__ import annotations

import io
import struct
from math import ceil
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from sakedge.images.blob import Blob
from sakedge.images.codecs.base import Unsupported
from sakedge.images.codecs.tiff import tags as t
from sakedge.images.codecs.tiff.tags import ByteOrder, Field, Tags
from sakedge.images.pillow import bytes_of

NONE = 1
_SHORT, _LONG = 3, 4
_MOST_CHUNKS = 1 << 18
_REVERSED: NDArray[np.uint8] = np.packbits(
    np.unpackbits(np.arange(256, dtype=np.uint8)).reshape(256, 8)[:, ::-1], axis=1
)[:, 0]


class PlainTiff(TiffImageFile):
    """Pillow's plugin without its own limit, for images whose size was judged."""

    def load_prepare(self) -> None:
        """Makes the image; called by Pillow."""
        ImageFile.ImageFile.load_prepare(self)


class Layout(NamedTuple):
    """How an image is cut into chunks, which are strips or tiles.

    Attributes:
        tiled: Whether they are tiles.
        width: Columns of a chunk.
        height: Rows of a chunk.
        across: Chunks side by side.
        down: Chunks below one another.
        planes: 1, or as many as samples that are stored one after the other.
        offsets: Where each chunk begins, by plane, row and column.
        counts: Its length in bytes.
    """

    tiled: bool
    width: int
    height: int
    across: int
    down: int
    planes: int
    offsets: list[int]
    counts: list[int]

    @classmethod
    def of(cls, tags: Tags, size: tuple[int, int], planes: int, end: int) -> Layout:
        """Reads the layout from a directory; `end` is the file's length."""
        tiled = t.TILE_OFFSETS in tags.fields
        height = tags.integer(t.TILE_HEIGHT if tiled else t.ROWS_PER_STRIP, 0 if tiled else size[0])
        width = tags.integer(t.TILE_WIDTH, 0) if tiled else size[1]
        if not tiled:
            height = min(height, size[0])
        if height < 1 or width < 1:
            raise ValueError("its strips or tiles are empty")
        across, down = ceil(size[1] / width), ceil(size[0] / height)
        chunks = across * down * planes
        if chunks > _MOST_CHUNKS:
            raise Unsupported(f"TIFF of {chunks} strips or tiles")
        offsets = tags.integers(t.TILE_OFFSETS if tiled else t.STRIP_OFFSETS)
        counts = tags.integers(t.TILE_COUNTS if tiled else t.STRIP_COUNTS)
        if len(offsets) < chunks:
            raise ValueError(f"{len(offsets)} strips or tiles of {chunks}")
        if len(counts) < chunks:
            counts = [0] * chunks
        # A length of zero is that of old writers: to the end of the file.
        counts = [
            min(count or end, max(0, end - offset))
            for offset, count in zip(offsets[:chunks], counts[:chunks], strict=True)
        ]
        return cls(tiled, width, height, across, down, planes, offsets[:chunks], counts)

    def rows_of(self, chunk: int, height: int) -> int:
        """Rows in a chunk: the last strip of an image is shorter, a tile never."""
        row = chunk // self.across % self.down
        return self.height if self.tiled else min(self.height, height - row * self.height)

    def chunks(self, blob: Blob, first: int, count: int, most: int) -> list[bytes]:
        """Reads compressed chunks; refuses more bytes than `most` altogether."""
        chosen = slice(first, first + count)
        if sum(self.counts[chosen]) > most:
            raise ValueError("its strips or tiles overlap")
        return [
            blob.read(offset, length)
            for offset, length in zip(self.offsets[chosen], self.counts[chosen], strict=True)
        ]

    def stored(self, blob: Blob, first: int, count: int, height: int, row: int) -> list[bytes]:
        """Reads uncompressed chunks of `row` bytes a row; their lengths in the file are not used.

        Raises:
            ValueError: The file ends before.
        """
        found = []
        for chunk in range(first, first + count):
            length = row * self.rows_of(chunk, height)
            found.append(blob.read(self.offsets[chunk], length))
            if len(found[-1]) < length:
                raise ValueError("its pixels end too early")
        return found


def plane_of(
    blob: Blob, tags: Tags, layout: Layout, plane: int, height: int, row: int
) -> NDArray[np.uint8]:
    """Decompresses the bytes of one plane.

    Args:
        blob: The file.
        tags: Its directory.
        layout: Where its chunks lie.
        plane: Which plane.
        height: Rows of the image.
        row: Bytes of a chunk's row.

    Returns:
        uint8 [rows, chunks side by side, row]; tiles reach below the image.
    """
    count = layout.across * layout.down
    compression = tags.integer(t.COMPRESSION, NONE)
    reversed_bits = tags.integer(t.FILL_ORDER, 1) == 2
    if compression != NONE:
        chunks = layout.chunks(blob, plane * count, count, blob.size)
        image = PlainTiff(io.BytesIO(_as_bytes(layout, chunks, height, row, tags)))
        return bytes_of(image).reshape((-1, layout.across, row))
    data = b"".join(layout.stored(blob, plane * count, count, height, row))
    found: NDArray[np.uint8] = np.frombuffer(data, np.uint8)
    if reversed_bits:
        found = np.take(_REVERSED, found)
    if not layout.tiled:
        return found.reshape(height, 1, row)
    tiles: NDArray[np.uint8] = found.reshape(layout.down, layout.across, layout.height, row)
    rows: NDArray[np.uint8] = tiles.transpose(0, 2, 1, 3)
    return rows.reshape((-1, layout.across, row))


def _as_bytes(layout: Layout, chunks: list[bytes], height: int, row: int, tags: Tags) -> bytes:
    """A TIFF file of the same chunks that calls their bytes 8-bit grey pixels.

    So Pillow only undoes the compression, and it does that for samples of any kind.
    """
    fields = {
        t.WIDTH: long_field(layout.across * row),
        t.HEIGHT: long_field(layout.down * layout.height if layout.tiled else height),
        t.BITS: short_field(8),
        t.COMPRESSION: short_field(tags.integer(t.COMPRESSION, NONE)),
        t.PHOTOMETRIC: short_field(1),
        t.FILL_ORDER: short_field(tags.integer(t.FILL_ORDER, 1)),
        t.SAMPLES: short_field(1),
        **_chunk_fields(layout, row),
    }
    return write_tiff("<", fields, chunks, layout.tiled)


def _chunk_fields(layout: Layout, width: int) -> dict[int, Field]:
    if layout.tiled:
        return {t.TILE_WIDTH: long_field(width), t.TILE_HEIGHT: long_field(layout.height)}
    return {t.ROWS_PER_STRIP: long_field(layout.height)}


def rewritten(blob: Blob, tags: Tags, layout: Layout, height: int, row: int) -> bytes:
    """The image alone, as a TIFF file without any field that its pixels do not need."""
    kept = (t.WIDTH, t.HEIGHT, t.BITS, t.COMPRESSION, t.PHOTOMETRIC, t.SAMPLES, t.FILL_ORDER)
    fields: dict[int, Any] = {
        tag: tags.fields[tag]
        for tag in (*kept, t.PLANAR, t.PREDICTOR, *t.TO_DECODE)
        if tag in tags.fields and tags.fields[tag].kind <= 12
    }
    order = tags.order
    fields[t.WIDTH] = long_field(tags.integer(t.WIDTH, 0), order)
    fields[t.HEIGHT] = long_field(height, order)
    if layout.tiled:
        fields[t.TILE_WIDTH] = long_field(layout.width, order)
        fields[t.TILE_HEIGHT] = long_field(layout.height, order)
    else:
        fields[t.ROWS_PER_STRIP] = long_field(layout.height, order)
    count = len(layout.offsets)
    if tags.integer(t.COMPRESSION, NONE) == NONE:
        chunks = layout.stored(blob, 0, count, height, row)
    else:
        chunks = layout.chunks(blob, 0, count, blob.size)
    return write_tiff(order, fields, chunks, layout.tiled)


def short_field(value: int, order: ByteOrder = "<") -> Field:
    """A field of one 16-bit number."""
    return Field(_SHORT, 1, struct.pack(f"{order}H", value))


def long_field(value: int, order: ByteOrder = "<") -> Field:
    """A field of one 32-bit number."""
    return Field(_LONG, 1, struct.pack(f"{order}I", value))


def write_tiff(
    order: ByteOrder, fields: dict[int, Field], chunks: list[bytes], tiled: bool
) -> bytes:
    """A TIFF file of these fields and chunks."""
    starts = np.cumsum([8, *(len(chunk) for chunk in chunks)])
    longs = np.dtype("u4").newbyteorder(order)
    offsets = Field(_LONG, len(chunks), starts[:-1].astype(longs).tobytes())
    counts = Field(_LONG, len(chunks), np.diff(starts).astype(longs).tobytes())
    fields = {
        **fields,
        t.TILE_OFFSETS if tiled else t.STRIP_OFFSETS: offsets,
        t.TILE_COUNTS if tiled else t.STRIP_COUNTS: counts,
    }
    directory = int(starts[-1])
    pad = directory % 2
    directory += pad
    after = directory + 2 + 12 * len(fields) + 4
    entries, values = [], []
    for tag in sorted(fields):
        kind, count, data = fields[tag]
        entry = struct.pack(f"{order}HHI", tag, kind, count)
        if len(data) <= 4:
            entry += data.ljust(4, b"\0")
        else:
            entry += struct.pack(f"{order}I", after)
            data += bytes(len(data) % 2)
            values.append(data)
            after += len(data)
        entries.append(entry)
    magic = b"II*\0" if order == "<" else b"MM\0*"
    return b"".join(
        [
            magic,
            struct.pack(f"{order}I", directory),
            *chunks,
            bytes(pad),
            struct.pack(f"{order}H", len(fields)),
            *entries,
            bytes(4),
            *values,
        ]
    )
