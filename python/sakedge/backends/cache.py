"""Compiled stems on disk: named by what they were made from, checked before they are used.

An entry is a file of 64 bytes of header (a mark and the SHA-256 of the rest) and the runtime's
blob. What is damaged, of another version or not ours is not used and gets overwritten; a cache
that cannot be written costs time at the next start and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import StorageError
from sakedge.format.atomic import atomic_write

ENVIRONMENT = "SAKEDGE_CACHE"
MARK = b"sakedge compiled stem, layout 1\n"
HEADER = 64
KEPT = 16
"""Entries kept per backend; the ones unused for longest go first."""

_OFF = {"", "0", "off", "none"}


def resolve_cache_dir(cache_dir: str | os.PathLike[str] | None = None) -> Path | None:
    """Where compiled stems are kept: the argument, else SAKEDGE_CACHE, else the user's cache.

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
    except RuntimeError:  # no home at all
        return None
    return base / "sakedge"


def cache_key(**parts: Any) -> str:
    """Name of an entry: a digest over everything that the compiled stem depends on."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def load(folder: Path, key: str) -> NDArray[np.uint8] | None:
    """The blob of an entry, mapped from the file, or None if there is no sound one."""
    path = folder / f"{key}.blob"
    try:
        if not _only_ours(path):
            return None
        # Copy-on-write, for runtimes take writable memory only, though they do not write to it.
        data = np.memmap(path, dtype=np.uint8, mode="c")
    except (OSError, ValueError):  # absent, not readable, or empty
        return None
    header, blob = data[:HEADER].tobytes(), data[HEADER:]
    if header != MARK + hashlib.sha256(blob.data).digest():
        return None
    with suppress(OSError):
        os.utime(path)  # so that the least recently used entry goes first
    return blob


def store(folder: Path, key: str, blob: bytes) -> str | None:
    """Writes an entry whole or not at all.

    Returns:
        None, or why it could not be written.
    """
    path = folder / f"{key}.blob"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with atomic_write(path) as file:
            file.write(MARK + hashlib.sha256(blob).digest())
            file.write(blob)
        path.chmod(0o600)
    except (OSError, StorageError) as error:
        return error.problem if isinstance(error, StorageError) else str(error)
    _prune(folder)
    return None


def _only_ours(path: Path) -> bool:
    """Whether nobody but this user and root can have written a file, where the system tells.

    Runtimes trust a blob as they trust their own code; in a shared folder anyone could plant one.
    """
    if not hasattr(os, "geteuid"):
        return True
    status = path.stat()
    return status.st_uid in {0, os.geteuid()} and not status.st_mode & 0o022


def _prune(folder: Path) -> None:
    with suppress(OSError):
        entries = sorted(folder.glob("*.blob"), key=lambda p: p.stat().st_mtime, reverse=True)
        for entry in entries[KEPT:]:
            entry.unlink()
