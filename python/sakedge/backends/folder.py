"""A folder that only this user writes to, opened once: its files are reached by its descriptor.

Runtimes trust a compiled graph as they trust their own code, and in a shared folder anyone could
plant one. So folder and files are judged by what was opened, never by a name that could stand for
something else a moment later. Against a process of the same user, or root, nothing helps.
"""

from __future__ import annotations

import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sakedge.errors import StorageError
from sakedge.files.temporary import claim, is_left_over, lease

_BY_DESCRIPTOR = os.open in os.supports_dir_fd and hasattr(os, "O_DIRECTORY")
"""Not on Windows, where a name inside the folder is its whole path."""
_SAFELY = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a pipe in the file's place must not be waited for
    | getattr(os, "O_BINARY", 0)
)
_TEMPORARY = ".tmp"


class Folder:
    """An open folder. Use `opened`."""

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self.path = path
        self._descriptor = descriptor

    def open(self, name: str) -> int:
        """A descriptor for reading a regular file that only this user or root can have written.

        Raises:
            OSError: There is none, or it is a link.
            StorageError: It is something else.
        """
        descriptor = os.open(self._at(name), os.O_RDONLY | _SAFELY, dir_fd=self._descriptor)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
                raise StorageError(f"{self.path / name} is not a file of its own")
            _require_ours(self.path / name, status)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    @contextmanager
    def replacing(self, name: str) -> Iterator[BinaryIO]:
        """A new file, readable by this user only, that takes the name when the block succeeds.

        Raises:
            OSError: It cannot be written.
        """
        descriptor, name_now = self._create(name)
        try:
            with lease(descriptor):
                with os.fdopen(descriptor, "wb") as file:
                    yield file
                    file.flush()
                    os.fsync(descriptor)
                os.replace(
                    self._at(name_now),
                    self._at(name),
                    src_dir_fd=self._descriptor,
                    dst_dir_fd=self._descriptor,
                )
        except BaseException:
            self._remove(name_now)
            raise

    def prune(self, suffix: str, kept: int) -> None:
        """Removes all but the most recently used files of a suffix, and what dead writers left."""
        with os.scandir(self.path if self._descriptor is None else self._descriptor) as found:
            used = {each.name: self._modified(each.name) for each in found}
        entries = [name for name in used if name.endswith(suffix)]
        for name in sorted(entries, key=lambda name: used[name], reverse=True)[kept:]:
            self._remove(name)
        for name in used:
            if name.endswith(_TEMPORARY):
                self._sweep(name)

    def _create(self, name: str) -> tuple[int, str]:
        """Creates a temporary file and takes its lock."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFELY
        while True:
            temporary = f".{name}.{secrets.token_hex(8)}{_TEMPORARY}"
            descriptor = os.open(self._at(temporary), flags, 0o600, dir_fd=self._descriptor)
            # Between its creation and the lock it looks left over: then another one is made.
            if claim(descriptor) is not False and os.fstat(descriptor).st_nlink:
                return descriptor, temporary
            os.close(descriptor)

    def _modified(self, name: str) -> float:
        """Seconds since 1970; for a file that another process has removed, now."""
        try:
            at = self._at(name)
            return os.stat(at, dir_fd=self._descriptor, follow_symlinks=False).st_mtime
        except OSError:
            return time.time()

    def _sweep(self, name: str) -> None:
        """Removes a temporary file whose writer has died."""
        with suppress(OSError):  # another process was faster, or it is no file
            descriptor = os.open(self._at(name), os.O_RDONLY | _SAFELY, dir_fd=self._descriptor)
            try:
                if is_left_over(descriptor):
                    # While the lock is held: a writer that begins finds it gone.
                    self._remove(name)
            finally:
                os.close(descriptor)

    def _remove(self, name: str) -> None:
        with suppress(OSError):  # another process was faster
            os.unlink(self._at(name), dir_fd=self._descriptor)

    def _at(self, name: str) -> str:
        return str(self.path / name) if self._descriptor is None else name


@contextmanager
def opened(path: Path) -> Iterator[Folder]:
    """Opens a folder that only this user or root can write to.

    Raises:
        OSError: There is none, or it is a link.
        StorageError: Others could write to it.
    """
    if not _BY_DESCRIPTOR:
        yield Folder(path, None)
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _SAFELY)
    try:
        _require_ours(path, os.fstat(descriptor))
        yield Folder(path, descriptor)
    finally:
        os.close(descriptor)


def _require_ours(path: Path, status: os.stat_result) -> None:
    if not hasattr(os, "geteuid"):
        return
    if status.st_uid not in {0, os.geteuid()}:
        raise StorageError(f"{path} belongs to another user ({status.st_uid})")
    if status.st_mode & 0o022:
        raise StorageError(f"{path} can be written by other users")
