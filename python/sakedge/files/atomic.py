"""Writes files atomically."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sakedge.errors import StorageError


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Opens a temporary file beside `path` that replaces it when the block succeeds.

    A process that has the old file open or mapped keeps the old content. When the block raises, the
    temporary file is removed and `path` is as it was.

    Raises:
        StorageError: The folder is missing or not writable, or no space is left.
    """
    temporary: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            temporary.chmod(0o666 & ~_umask())
            yield file
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
        temporary = None
        _sync_folder(path.parent)
    except OSError as error:
        raise storage_error("cannot write", path, error) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()


def make_folder(folder: Path) -> None:
    """Creates a folder and its parents, where missing.

    Raises:
        StorageError: No permission, no space, or a file is in the way.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error("cannot make the folder", folder, error) from error


def storage_error(doing: str, path: Path, error: OSError) -> StorageError:
    """The system's error as one of ours."""
    reason = error.strerror or str(error)
    remedies = {
        errno.ENOSPC: "Free some space or choose another folder",
        errno.EDQUOT: "Free some of your quota or choose another folder",
        errno.EACCES: "Check the permissions of the file and of its folder",
        errno.EPERM: "Check the permissions of the file and of its folder",
        errno.EROFS: "The file system is read-only: choose another folder",
        errno.ENOENT: "Check the path",
        errno.EISDIR: "Give the path of a file",
    }
    return StorageError(f"{doing} {path}: {reason}", remedy=remedies.get(error.errno or 0))


def _umask() -> int:
    # The mask can only be read by setting it; mkstemp's own 0o600 would lock out other users.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Makes the new name itself durable, where the system lets a folder be synced."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
