"""Writes files atomically."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from sakedge.errors import StorageError
from sakedge.files import temporary
from sakedge.files.paths import check_path
from sakedge.files.targets import check_target

# What file systems answer that cannot sync: FUSE, some network shares.
_NO_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}

_SWEEP_EVERY = 600.0
"""Seconds."""


class Draft:
    """A file that has no name yet.

    Attributes:
        file: What to write to.
    """

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self.file = file
        self._path = path

    def place(self, path: Path) -> None:
        """Makes the content durable and gives it its name, in the draft's folder.

        A file of that name is replaced and passes its permissions on; whoever has it open or mapped
        keeps the old content. A link is replaced, not followed.
        """
        self.file.flush()
        _sync(self.file.fileno())
        self.file.close()
        with suppress(OSError):  # nothing is there, or a file system without permissions
            status = path.lstat()
            if stat.S_ISREG(status.st_mode):
                self._path.chmod(stat.S_IMODE(status.st_mode) & 0o777)
        self._path.replace(path)
        sync_folder(path.parent)


@contextmanager
def draft(folder: Path) -> Iterator[Draft]:
    """Opens a file that gets its name when it is complete; without one it is removed.

    Raises:
        OSError: The folder is missing or not writable, or no space is left.
    """
    _sweep_once(os.fspath(folder), int(time.monotonic() / _SWEEP_EVERY))
    descriptor, path = temporary.create(folder)
    with temporary.lease(descriptor):
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield Draft(file, path)
        finally:
            with suppress(OSError):  # it has its name
                path.unlink()


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Opens a temporary file beside `path` that replaces it when the block succeeds.

    A process that has the old file open or mapped keeps the old content. When the block raises, the
    temporary file is removed and `path` is as it was. A link is replaced, not followed.

    Raises:
        StorageError: The folder is missing or not writable, no space is left, or what is there is
            no file or may not be written.
    """
    check_target(path)
    try:
        with draft(path.parent) as new:
            yield new.file
            new.place(path)
    except OSError as error:
        raise storage_error("cannot write", path, error) from error


def make_folder(folder: Path) -> None:
    """Creates a folder and its parents, where missing, and makes their names durable.

    Raises:
        StorageError: No permission, no space, or a file is in the way.
    """
    check_path(folder)
    try:
        missing = [each for each in (folder, *folder.parents) if not each.is_dir()]
        for each in reversed(missing):
            each.mkdir(exist_ok=True)
            sync_folder(each.parent)
    except OSError as error:
        raise storage_error("cannot make the folder", folder, error) from error


def sync_folder(folder: Path) -> None:
    """Makes names durable that files of a folder got or lost, where the system can do that.

    Raises:
        OSError: The device failed.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # no permission to list it, or a system that opens no folders
        return
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def is_there(path: Path) -> bool:
    """Whether a path leads to something.

    Raises:
        StorageError: That cannot be told: a folder on the way may not be entered, a name is too
            long for the file system.
    """
    try:
        return path.exists()
    except OSError as error:
        raise storage_error("cannot look for", path, error) from error


def is_folder(path: Path) -> bool:
    """Whether a path leads to a folder.

    Raises:
        StorageError: As for `is_there`.
    """
    try:
        return path.is_dir()
    except OSError as error:
        raise storage_error("cannot look for", path, error) from error


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
        errno.EEXIST: "A file has this name: choose another folder",
        errno.ENAMETOOLONG: "Choose a shorter name",
    }
    return StorageError(f"{doing} {path}: {reason}", remedy=remedies.get(error.errno or 0))


@lru_cache(maxsize=64)
def _sweep_once(folder: str, interval: int) -> None:
    """Sweeps a folder once in an interval: listing a large one for every file would cost more."""
    temporary.sweep(Path(folder))


def _sync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
