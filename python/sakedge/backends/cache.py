"""Compiled graphs on disk: named by what they were made from, checked before they are used.

An entry is a file of 64 bytes of header (a mark and a SHA-256 over its name and the rest) and the
runtime's blob, or whatever else a backend makes of a graph. An entry that is damaged, of another
version, renamed, or could have been written by another user is ignored and overwritten; a cache
that cannot be written only costs time at the next start.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.backends.folder import Folder, opened
from sakedge.errors import StorageError

MARK = b"sakedge compiled stem, layout 2\n"
HEADER = 64
KEPT = 16
"""Entries kept in a folder; the least recently used go first."""

_SUFFIX = ".blob"
_HASHED_AT_ONCE = 16 << 20


def cache_key(**parts: Any) -> str:
    """Name of an entry: a digest over everything that the compiled graph depends on."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class Entry:
    """An intact entry, mapped.

    Attributes:
        blob: What was stored, read-only.
    """

    def __init__(self, mapped: mmap.mmap) -> None:
        self._mapped = mapped
        self.blob = memoryview(mapped)[HEADER:]

    def release(self) -> None:
        """Drops the pages read so far; what is touched again is read again."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._mapped.madvise(mmap.MADV_DONTNEED)

    def is_intact(self, key: str) -> bool:
        """Whether it holds what was stored under this name."""
        digest = hashlib.sha256(key.encode())
        for start in range(0, len(self.blob), _HASHED_AT_ONCE):
            digest.update(self.blob[start : start + _HASHED_AT_ONCE])
            self.release()
        return self._mapped[:HEADER] == MARK + digest.digest()


def open_entry(folder: Path, key: str) -> Entry | None:
    """An entry, or None if there is no intact one."""
    try:
        with opened(folder) as place:
            return _open(place, key)
    except (OSError, ValueError, StorageError):  # absent, not readable, too short, not ours
        return None


def _open(place: Folder, key: str) -> Entry | None:
    name = f"{key}{_SUFFIX}"
    descriptor = place.open(name)
    try:
        entry = Entry(mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ))
        if not entry.is_intact(key):
            return None
        with suppress(OSError):  # so that the least recently used entry goes first
            os.utime(descriptor if os.utime in os.supports_fd else place.path / name)
        return entry
    finally:
        os.close(descriptor)


def checked(key: str, stored: bytes) -> bytes:
    """The blob of an entry's whole file, which came from another machine.

    Raises:
        ValueError: The file is not that entry, or is damaged.
    """
    blob = stored[HEADER:]
    if stored[:HEADER] != MARK + hashlib.sha256(key.encode() + blob).digest():
        raise ValueError(f"the entry {key} is damaged, or of another version of the cache")
    return blob


def load(folder: Path, key: str) -> NDArray[np.uint8] | None:
    """The blob of an entry, mapped from the file, or None if there is no intact one."""
    entry = open_entry(folder, key)
    return None if entry is None else np.frombuffer(entry.blob, np.uint8)


def store(folder: Path, key: str, blob: bytes) -> str | None:
    """Writes an entry atomically.

    Returns:
        None, or why it could not be written.
    """
    return store_pieces(folder, key, [blob])


def store_pieces(
    folder: Path, key: str, pieces: Iterable[bytes | memoryview], kept: int = KEPT
) -> str | None:
    """Writes an entry atomically, piece by piece, so that it is never in memory as a whole.

    Returns:
        None, or why it could not be written.
    """
    digest = hashlib.sha256(key.encode())
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with opened(folder) as place:
            with place.replacing(f"{key}{_SUFFIX}") as file:
                file.write(bytes(HEADER))
                for piece in pieces:
                    digest.update(piece)
                    file.write(piece)
                file.seek(0)
                file.write(MARK + digest.digest())
            place.prune(_SUFFIX, kept)
    except (OSError, ValueError) as error:
        return f"cannot write {folder}: {getattr(error, 'strerror', None) or error}"
    except StorageError as error:
        return error.problem
    return None
