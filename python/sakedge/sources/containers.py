"""Whether a video file holds all the bytes that its container says it has.

Read from the outermost elements alone, which say how long they are: exact, and for whole files
never wrong. MPEG streams, raw video and files that were written to a pipe say nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

_MOST_ELEMENTS = 100_000
"""Elements looked at; a fragmented file of an hour has some thousand."""
_SLACK = 16
"""Bytes that some writers of AVI miscount."""


def missing_bytes(path: Path) -> int | None:
    """How many bytes of the file its container misses at the end, or None if it does not say."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(12)
            for fits, end in _CONTAINERS:
                if fits(head):
                    file.seek(0)
                    announced = end(file, size)
                    return None if announced is None else max(0, announced - size)
    except OSError:
        return None
    return None


def _end_of_boxes(file: BinaryIO, size: int) -> int | None:
    """MP4 and MOV: boxes of a 32-bit length, which 1 extends to 64 bits, and a type."""
    at = 0
    for _ in range(_MOST_ELEMENTS):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return at
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if length == 1:
            length = int.from_bytes(head[8:], "big")
        if kind not in _BOXES or length < 8:  # 0 is up to the end; padding is as good as that
            return size
        at += length
        if at > size:
            return at
    return None


_BOXES = frozenset(
    b"ftyp styp moov moof mdat free skip wide uuid sidx ssix mfra meta emsg prft pnot udta".split()
)


def _end_of_riff(file: BinaryIO, size: int) -> int | None:
    """AVI: a chunk RIFF, followed by more in files beyond a gigabyte."""
    at = 0
    for _ in range(_MOST_ELEMENTS):
        file.seek(at)
        head = file.read(12)
        length = int.from_bytes(head[4:8], "little")
        if len(head) < 12 or head[:4] != b"RIFF" or length == 0:
            return at or None
        at += 8 + length + length % 2
        if at > size:
            return at if at - size > _SLACK else size
    return None


def _end_of_segment(file: BinaryIO, size: int) -> int | None:
    """Matroska and WebM: an EBML header and a segment, each an id and a length of 1 to 8 bytes."""
    for identity in (b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"):
        if file.read(4) != identity:
            return None
        first = file.read(1)
        if not first or first[0] == 0:
            return None
        more = 8 - first[0].bit_length()
        length = int.from_bytes(first + file.read(more), "big") - (1 << 7 * (more + 1))
        if length == (1 << 7 * (more + 1)) - 1:  # all ones: written before it was known
            return None
        file.seek(length, os.SEEK_CUR) if identity[0] == 0x1A else None
    return file.tell() + length


_End = Callable[[BinaryIO, int], "int | None"]
_CONTAINERS: tuple[tuple[Callable[[bytes], bool], _End], ...] = (
    (lambda head: head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"), _end_of_boxes),
    (lambda head: head[:4] == b"RIFF", _end_of_riff),
    (lambda head: head[:4] == b"\x1a\x45\xdf\xa3", _end_of_segment),
)
