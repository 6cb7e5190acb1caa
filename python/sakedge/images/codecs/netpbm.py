"""PBM, PGM, PPM, PAM and PFM: decoded here, for the largest value that they declare is white."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sakedge.images.blob import Blob
from sakedge.images.codecs.base import Encoded, Unsupported

_HEAD = 1 << 16
"""Bytes in which a header has to end, comments included."""
_MAGIC = re.compile(rb"P([1-7Ff])[\s#]")
_WORD = re.compile(rb"(?:\s|#[^\n\r]*[\n\r])*([^\s#]+)")
_PAM = re.compile(rb"P7\s(.*?)ENDHDR\n", re.DOTALL)
_CHANNELS = {b"1": 1, b"2": 1, b"3": 3, b"4": 1, b"5": 1, b"6": 3, b"F": 3, b"f": 1}
_BITMAPS, _PLAIN, _FLOATS = (b"1", b"4"), (b"1", b"2", b"3"), (b"F", b"f")


class _Header(NamedTuple):
    kind: bytes
    width: int
    height: int
    channels: int
    white: float  # of floats the sign tells the byte order
    end: int

    @property
    def stored(self) -> np.dtype[Any]:
        if self.kind in _FLOATS:
            return np.dtype("<f4" if self.white < 0 else ">f4")
        return np.dtype(np.uint8 if self.white < 256 else ">u2")


def is_netpbm(head: bytes) -> bool:
    """Whether a file begins as one of these formats."""
    return _MAGIC.match(head) is not None


def open_netpbm(blob: Blob) -> Encoded:
    """Reads the header of a PBM, PGM, PPM, PAM or PFM file."""
    header = _header(blob.read(0, _HEAD))
    if header.kind not in _FLOATS and not 1 <= header.white <= 65535:
        raise ValueError("its largest value is not in 1…65535")
    if not 1 <= header.channels <= 4:
        raise Unsupported(f"PAM of {header.channels} channels")
    size = (header.height, header.width)
    memory = size[0] * size[1] * header.channels * max(1, header.stored.itemsize)
    return Encoded(size, memory, lambda: _decode(blob, header))


def _header(head: bytes) -> _Header:
    kind = head[1:2]
    if kind == b"7":
        return _pam_header(head)
    words, at = [], 2
    for _ in range(2 if kind in _BITMAPS else 3):
        match = _WORD.match(head, at)
        if match is None:
            raise ValueError("its header is incomplete")
        words.append(match[1])
        at = match.end()
    white = 1.0 if kind in _BITMAPS else float(words[2])
    return _Header(kind, int(words[0]), int(words[1]), _CHANNELS[kind], white, at + 1)


def _pam_header(head: bytes) -> _Header:
    match = _PAM.match(head)
    if match is None:
        raise ValueError("its header is incomplete")
    lines = [line.split() for line in match[1].splitlines() if not line.startswith(b"#")]
    fields = {words[0]: words[1] for words in lines if len(words) > 1}
    width, height, channels, white = (
        int(fields[name]) for name in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL")
    )
    return _Header(b"7", width, height, channels, white, match.end())


def _decode(blob: Blob, header: _Header) -> NDArray[Any]:
    shape = (header.height, header.width, header.channels)
    if header.kind in _BITMAPS:
        return _bitmap(blob, header)
    if header.kind in _PLAIN:
        text = re.sub(rb"#[^\n\r]*", b" ", blob.read(header.end))
        if re.search(rb"[^\d\s]", text):
            raise ValueError("its values are not numbers")
        values = np.fromstring(text, np.int64, sep=" ")
    else:
        length = shape[0] * shape[1] * shape[2] * header.stored.itemsize
        values = np.frombuffer(blob.read(header.end, length), header.stored)
    count = shape[0] * shape[1] * shape[2]
    if len(values) < count:
        raise ValueError("its pixels end too early")
    samples = values[:count].reshape(shape)
    samples = samples[..., 0] if header.channels < 3 else samples[..., :3]
    if header.kind in _FLOATS:
        return samples[::-1].astype(np.float32)  # from the lowest row up
    return _scaled(samples, int(header.white))


def _bitmap(blob: Blob, header: _Header) -> NDArray[np.uint8]:
    """One bit per pixel, 1 is black."""
    height, width = header.height, header.width
    if header.kind == b"1":
        text = re.sub(rb"#[^\n\r]*", b" ", blob.read(header.end))
        bits = np.frombuffer(text, np.uint8)
        bits = bits[(bits == ord("0")) | (bits == ord("1"))][: height * width] & 1
    else:
        row = (width + 7) // 8
        packed = np.frombuffer(blob.read(header.end, height * row), np.uint8)
        if len(packed) < height * row:
            raise ValueError("its pixels end too early")
        bits = np.unpackbits(packed.reshape(height, row), axis=1)[:, :width].reshape(-1)
    if len(bits) < height * width:
        raise ValueError("its pixels end too early")
    pixels: NDArray[np.uint8] = (1 - bits.reshape(height, width)) * np.uint8(255)
    return pixels


def _scaled(samples: NDArray[Any], white: int) -> NDArray[Any]:
    """Samples as uint8, or as uint16 where they have more than 8 bits."""
    if samples.max() > white:
        raise ValueError("a value is larger than its header allows")
    shown = 255 if white < 256 else 65535
    kind = np.uint8 if white < 256 else np.uint16
    if white == shown:
        return samples.astype(kind)
    scaled: NDArray[Any] = (samples.astype(np.uint32) * np.uint32(shown) + white // 2) // white
    return scaled.astype(kind)
