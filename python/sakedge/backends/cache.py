"""Compiled graphs on disk: named by what they were made from, checked before they are used.

An entry is a file of 64 bytes of header (a mark and the SHA-256 of the rest) and the runtime's
blob, or whatever else a backend makes of a graph. An entry that is damaged, of another version or
writable by others is ignored and overwritten; a cache that cannot be written only costs time at the
next start.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import StorageError
from sakedge.files.atomic import atomic_write
from sakedge.files.mapped import MappedFile

ENVIRONMENT = "SAKEDGE_CACHE"
MARK = b"sakedge compiled stem, layout 1\n"
HEADER = 64
KEPT = 16
"""Entries kept in a folder; the least recently used go first."""

_HASHED_AT_ONCE = 16 << 20
_OFF = {"", "0", "off", "none"}


def resolve_cache_dir(cache_dir: str | os.PathLike[str] | None = None) -> Path | None:
    """Where compiled graphs are kept: the argument, else SAKEDGE_CACHE, else the user's cache.

    Returns:
        The folder, which need not exist yet, or None for no cache: an empty argument, or
        SAKEDGE_CACHE set to nothing, `0`, `off` or `none`.
    """
    chosen = os.environ.get(ENVIRONMENT) if cache_dir is None else os.fspath(cache_dir)
    if chosen is None:
        return _user_cache()
    if chosen.strip().lower() in _OFF:
        return None
    with suppress(RuntimeError):  # `~` of a user without a home
        return Path(chosen).expanduser()
    return Path(chosen)


def _user_cache() -> Path | None:
    try:
        if sys.platform == "win32":
            base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        elif sys.platform == "darwin":
            base = Path.home() / "Library" / "Caches"
        else:
            base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # no home directory
        return None
    return base / "sakedge"


def cache_key(**parts: Any) -> str:
    """Name of an entry: a digest over everything that the compiled graph depends on."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class Entry:
    """An intact entry, mapped.

    Attributes:
        blob: What was stored, read-only.
        release: Drops the pages read so far; what is touched again is read again.
    """

    def __init__(self, file: MappedFile) -> None:
        self.blob = file.data[HEADER:]
        self.release: Callable[[], None] = partial(file.advise, "DONTNEED")


def open_entry(folder: Path, key: str) -> Entry | None:
    """An entry, or None if there is no intact one."""
    path = folder / f"{key}.blob"
    try:
        if not _only_ours(path):
            return None
        file = MappedFile(path)
    except (OSError, StorageError):  # absent or not readable
        return None
    digest = hashlib.sha256()
    for start in range(HEADER, len(file.data), _HASHED_AT_ONCE):
        digest.update(file.data[start : start + _HASHED_AT_ONCE])
        file.advise("DONTNEED")
    if bytes(file.data[:HEADER]) != MARK + digest.digest():
        return None
    with suppress(OSError):
        os.utime(path)  # so that the least recently used entry goes first
    return Entry(file)


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
    path = folder / f"{key}.blob"
    digest = hashlib.sha256()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with atomic_write(path) as file:
            file.write(bytes(HEADER))
            for piece in pieces:
                digest.update(piece)
                file.write(piece)
            file.seek(0)
            file.write(MARK + digest.digest())
        path.chmod(0o600)
    except (OSError, StorageError) as error:
        return error.problem if isinstance(error, StorageError) else str(error)
    _prune(folder, kept)
    return None


def _only_ours(path: Path) -> bool:
    """Whether only this user and root can have written a file, where the system reports it.

    Runtimes trust a blob as they trust their own code; in a shared folder anyone could plant one.
    """
    if not hasattr(os, "geteuid"):
        return True
    status = path.stat()
    return status.st_uid in {0, os.geteuid()} and not status.st_mode & 0o022


def _prune(folder: Path, kept: int) -> None:
    with suppress(OSError):
        entries = sorted(folder.glob("*.blob"), key=lambda p: p.stat().st_mtime, reverse=True)
        for entry in entries[kept:]:
            entry.unlink()
