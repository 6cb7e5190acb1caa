"""JPEG, and the first picture of MPO.

Pillow is given the tables, frames and scans, and of the rest only what colours depend on. A file
whose end marker is missing is whole when what would follow makes no difference to its pixels.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL.JpegImagePlugin import JpegImageFile

from sakedge.images.blob import Blob
from sakedge.images.codecs.base import Encoded, Unsupported, by_pillow
from sakedge.images.orientation import orientation_in
from sakedge.images.pillow import pixels_of

MAGIC = b"\xff\xd8\xff"
_START, _END = b"\xff\xd8", b"\xff\xd9"
_SCAN, _APP0, _APP1, _APP2, _APP14 = 0xDA, 0xE0, 0xE1, 0xE2, 0xEE
_TABLES = {0xC4, 0xCC, 0xDB, 0xDD}
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_METADATA = {*range(0xE0, 0xF0), 0xFE}
_JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x00\x00"
_SEGMENT = re.compile(b"\xff+([\xc0-\xc7\xc9-\xcf\xda-\xdd\xe0-\xef\xfe])(?=..)", re.DOTALL)
_MOST_SEGMENTS, _MOST_ATTEMPTS = 1 << 14, 64
_BITS = (b"\x00" * 64, b"\x55" * 64, b"\xaa" * 64, b"\x2d\xb6\xdb\x6d" * 16)
_RESTARTS = [bytes([0xFF, marker]) for marker in range(0xD0, 0xD8)]
_PADS = (*_BITS, *(b"".join(restart + bits for restart in _RESTARTS) for bits in _BITS))
"""Different bits for a decoder that still waits for some, or for a restart marker."""


class _Segment(NamedTuple):
    marker: int
    start: int  # of the marker
    body: bytes
    end: int


class _Header(NamedTuple):
    segments: list[_Segment]
    frame: bytes
    scan: int

    @property
    def size(self) -> tuple[int, int]:
        return int.from_bytes(self.frame[1:3], "big"), int.from_bytes(self.frame[3:5], "big")


def open_jpeg(blob: Blob) -> Encoded:
    """Reads the header of a JPEG file."""
    data = blob.read()
    header = _header(data)
    if header is None:
        raise ValueError("no frame before its first scan")
    if header.frame[0] != 8:
        raise Unsupported(f"JPEG with {header.frame[0]} bits per sample")
    exif = (s.body for s in header.segments if s.marker == _APP1 and s.body.startswith(b"Exif"))
    orientation = orientation_in(next(exif, b""))
    kept = [_START]
    for segment in header.segments:
        if segment.marker == _APP0 and segment.body.startswith(b"JFIF"):
            kept.append(_JFIF)
        elif segment.marker not in _METADATA or _tells_colours(segment):
            kept.append(data[segment.start : segment.end])
    kept.append(data[header.scan :])
    if data.find(_END, header.scan) < 0:
        return _open_ended(b"".join(kept).rstrip(b"\xff"), header, orientation)
    return by_pillow(JpegImageFile, b"".join(kept), orientation)


def is_motion(blob: Blob) -> bool:
    """Whether pictures of one size follow one another at once: a raw video of JPEG pictures."""
    data, length = b"", 1 << 16
    while True:
        data = blob.read(0, length)
        header = _header(data)
        end = -1 if header is None else data.find(_END, header.scan)
        if header is not None and end >= 0:
            following = blob.read(end + 2, 1 << 16)
            second = _header(following) if following.startswith(MAGIC) else None
            has_index = any(
                s.marker == _APP2 and s.body.startswith(b"MPF\0") for s in header.segments
            )
            return second is not None and second.size == header.size and not has_index
        if length >= blob.size:
            return False
        length *= 4


def _tells_colours(segment: _Segment) -> bool:
    return segment.marker == _APP14 and segment.body.startswith(b"Adobe") and len(segment.body) > 11


def _segments(data: bytes, at: int) -> Iterator[_Segment]:
    """Segments that follow one another without a gap, up to a scan or to what is none."""
    while match := _SEGMENT.match(data, at):
        length = int.from_bytes(data[match.end() : match.end() + 2], "big")
        end = match.end() + length
        if length < 2 or end > len(data):
            return
        yield _Segment(match[1][0], match.start(), data[match.end() + 2 : end], end)
        if match[1][0] == _SCAN:
            return
        at = end


def _walk(data: bytes, at: int) -> list[_Segment]:
    return list(islice(_segments(data, at), _MOST_SEGMENTS))


def _header(data: bytes) -> _Header | None:
    """All segments before the first scan.

    Where the length of metadata is wrong, the largest picture that can be made of segments behind
    its start is taken: a thumbnail inside it is smaller.
    """
    segments = _walk(data, len(_START))
    header = _complete(segments)
    if header is not None:
        return header
    wrong = len(_START)
    while segments:
        last = segments.pop()
        if last.marker in _METADATA:
            wrong = last.end - len(last.body)
            break
    starts = (match.start() for match in _SEGMENT.finditer(data, wrong, wrong + (1 << 17)))
    found: list[_Header] = []
    for _, start in zip(range(_MOST_ATTEMPTS), starts, strict=False):
        if other := _complete([*segments, *_walk(data, start)]):
            found.append(other)
    return max(found, key=lambda other: other.size[0] * other.size[1], default=None)


def _complete(segments: list[_Segment]) -> _Header | None:
    frames = [s.body for s in segments if s.marker in _FRAMES and len(s.body) >= 6]
    if not segments or segments[-1].marker != _SCAN or not frames:
        return None
    return _Header(segments[:-1], frames[-1], segments[-1].start)


def _open_ended(data: bytes, header: _Header, orientation: int) -> Encoded:
    def decode() -> NDArray[Any]:
        first, *others = (data + pad + _END for pad in _PADS)
        pixels = _decoded(first)
        if not all(np.array_equal(pixels, _decoded(other)) for other in others):
            raise ValueError("its pixels end too early")
        return pixels

    height, width = header.size
    return Encoded((height, width), 2 * height * width, decode, orientation)


def _decoded(data: bytes) -> NDArray[Any]:
    return pixels_of(JpegImageFile(io.BytesIO(data)), "the image")
