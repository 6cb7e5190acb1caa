"""GIF: the palette and the first picture, without comments, text and what follows."""

from __future__ import annotations

import struct

from PIL.GifImagePlugin import GifImageFile

from sakedge.images.blob import Blob
from sakedge.images.codecs.base import Encoded, by_pillow

MAGICS = (b"GIF87a", b"GIF89a")
_PICTURE, _EXTENSION, _CONTROL, _END = 0x2C, 0x21, 0xF9, b";"
_HAS_PALETTE = 0x80


def open_gif(blob: Blob) -> Encoded:
    """Reads a GIF file up to the end of its first picture."""
    data = blob.read()
    at = 13 + _palette(data[10])
    pieces = [data[10:at]]
    while data[at] != _PICTURE:
        if data[at] != _EXTENSION:
            raise ValueError("it has no picture")
        end = _after_blocks(data, at + 2)
        if data[at + 1] == _CONTROL:
            pieces.append(data[at:end])
        at = end
    end = _after_blocks(data, at + 11 + _palette(data[at + 9]))
    pieces.append(data[at:end] + _END)
    left, top, width, height = struct.unpack_from("<HHHH", data, at + 1)
    canvas = struct.unpack_from("<HH", data, 6)
    # A picture that reaches over the canvas enlarges it, as in Pillow.
    size = (max(canvas[1], top + height), max(canvas[0], left + width))
    whole = data[:6] + struct.pack("<HH", size[1], size[0]) + b"".join(pieces)
    return Encoded(size, size[0] * size[1], lambda: by_pillow(GifImageFile, whole).decode())


def _palette(flags: int) -> int:
    """Bytes of the palette that these flags announce."""
    return 3 << (flags & 7) + 1 if flags & _HAS_PALETTE else 0


def _after_blocks(data: bytes, at: int) -> int:
    """Where a chain of blocks that begins here ends; one cut short is the decoder's to refuse."""
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return min(at + 1, len(data))
