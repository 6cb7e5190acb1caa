"""TGA, which has no magic number: its header has to make sense in every field."""

from __future__ import annotations

import struct
from typing import NamedTuple

from PIL.TgaImagePlugin import TgaImageFile

from sakedge.images.blob import Blob
from sakedge.images.codecs.base import Encoded, by_pillow

_HEADER = struct.Struct("<BBBHHBHHHHBB")
_INDEXED, _COLOR, _GREY = 1, 2, 3
_COMPRESSED = 8
_DEPTHS = {_INDEXED: (8,), _COLOR: (16, 24, 32), _GREY: (8, 16)}
_PALETTE_DEPTHS = (16, 24, 32)
_RUN = 128
"""Most pixels that one run of a compressed file stands for."""
_FOOTER = 26


class _Header(NamedTuple):
    name: int
    has_palette: int
    kind: int
    first: int
    entries: int
    entry_bits: int
    left: int
    top: int
    width: int
    height: int
    depth: int
    flags: int


def is_tga(blob: Blob) -> bool:
    """Whether a file's header is a possible one, and the file as long as it says."""
    head = blob.read(0, _HEADER.size)
    if len(head) < _HEADER.size:
        return False
    header = _Header(*_HEADER.unpack(head))
    kind = header.kind & ~_COMPRESSED
    if header.depth not in _DEPTHS.get(kind, ()) or 0 in (header.width, header.height):
        return False
    palette = (header.has_palette, header.entry_bits in _PALETTE_DEPTHS, header.entries > 0)
    if kind == _INDEXED and palette != (1, True, True):
        return False
    unused = (header.has_palette, header.first, header.entries, header.entry_bits)
    if kind != _INDEXED and any(unused):
        return False
    alpha = header.flags & 0x0F
    if header.flags & 0xC0 or alpha > 8:
        return False
    return blob.size >= _shortest(header)


def _shortest(header: _Header) -> int:
    """Bytes that the file has at least."""
    pixels, pixel = header.width * header.height, header.depth // 8
    before = _HEADER.size + header.name + header.entries * header.entry_bits // 8
    if header.kind & _COMPRESSED:
        return before + -(-pixels // _RUN) * (1 + pixel)
    return before + pixels * pixel


def open_tga(blob: Blob) -> Encoded:
    """Reads the header of a TGA file."""
    data = blob.read()
    if len(data) < _HEADER.size + _FOOTER:  # Pillow looks for a footer
        data += bytes(_FOOTER)
    return by_pillow(TgaImageFile, data)
