"""The files of a log: which there are, and their lines."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sakedge.audit.entry import MAX_LINE
from sakedge.errors import AuditError
from sakedge.files.atomic import storage_error
from sakedge.files.locked import locked
from sakedge.files.opening import open_regular

LOCK = "lock"
_NAME = re.compile(r"entries-([0-9]{12})\.jsonl")
_MOST = 1 << 16
"""Files of a log."""


@dataclass(frozen=True)
class Segment:
    """A file of the log.

    Attributes:
        path: The file.
        first: Number of its first line in the log, which its name states.
        size: Bytes that it had when the log was looked at; what was added later is not read.
    """

    path: Path
    first: int
    size: int


def file_name(first: int) -> str:
    """Of the segment that begins with line `first`."""
    return f"entries-{first:012d}.jsonl"


def list_segments(folder: Path) -> list[Segment]:
    """The segments as they are now, in order; whoever lists them to append holds the lock.

    Raises:
        StorageError: The folder cannot be read.
        AuditError: One is no regular file, or there are too many.
    """
    found = []
    try:
        with os.scandir(folder) as each:
            for file in each:
                match = _NAME.fullmatch(file.name)
                if match is None:
                    continue
                status = file.stat(follow_symlinks=False)
                if not stat.S_ISREG(status.st_mode):
                    raise AuditError(f"{file.path} is no regular file", expected="a log's file")
                found.append(Segment(Path(file.path), int(match[1]), status.st_size))
                if len(found) > _MOST:
                    raise AuditError(f"{folder} has too many files", expected=f"at most {_MOST}")
    except OSError as error:
        raise storage_error("cannot read", folder, error) from error
    return sorted(found, key=lambda segment: segment.first)


def view(folder: Path) -> list[Segment]:
    """The segments at one moment, in which nobody is in the middle of a line.

    A copy that is read-only, or has no lock, is taken as it is.

    Raises:
        StorageError, AuditError: As for `list_segments`; or there is no log.
    """
    lock = folder / LOCK
    writable = os.access(lock, os.R_OK | os.W_OK) and os.access(folder, os.W_OK)
    with locked(lock, shared=True) if writable else nullcontext():
        segments = list_segments(folder)
    if not segments:
        raise AuditError(
            f"{folder} holds no audit log",
            expected=f"files such as {file_name(1)}",
            remedy="Check the path",
        )
    return segments


def read_lines(segment: Segment) -> Iterator[bytes]:
    """The lines of a segment with their ends; the last may lack its end.

    Raises:
        StorageError: It cannot be read.
        AuditError: It became shorter, or a line is longer than any entry.
    """
    left = segment.size
    try:
        with _opened(segment) as file:
            while left > 0:
                line = file.readline(min(left, MAX_LINE))
                left -= len(line)
                if not line:
                    raise AuditError(f"{segment.path} was cut while it was read")
                if len(line) == MAX_LINE and not line.endswith(b"\n"):
                    raise AuditError(
                        f"{segment.path} has a line that is too long",
                        expected=f"fewer than {MAX_LINE} bytes",
                    )
                yield line
    except OSError as error:
        raise storage_error("cannot read", segment.path, error) from error


def read_bytes(segment: Segment) -> Iterator[bytes]:
    """A segment as it is, in pieces.

    Raises:
        StorageError: It cannot be read.
    """
    left = segment.size
    try:
        with _opened(segment) as file:
            while left > 0 and (piece := file.read(min(left, 1 << 20))):
                left -= len(piece)
                yield piece
    except OSError as error:
        raise storage_error("cannot read", segment.path, error) from error


def read_end(segment: Segment, length: int) -> list[bytes]:
    """The last lines of a segment without their ends, as far as they lie whole in `length` bytes.

    Returns:
        The lines, and last what follows the last end: empty unless a line lacks its end. Nothing
        if no line begins in there.

    Raises:
        StorageError: It cannot be read.
    """
    start = max(0, segment.size - length)
    try:
        with _opened(segment) as file:
            file.seek(start)
            lines = file.read(segment.size - start).split(b"\n")
    except OSError as error:
        raise storage_error("cannot read", segment.path, error) from error
    return lines[1:] if start else lines


def _opened(segment: Segment) -> BinaryIO:
    descriptor, _ = open_regular(segment.path, may_be_link=False)
    return os.fdopen(descriptor, "rb")
