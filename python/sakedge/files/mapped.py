"""A read-only memory map of a file, and tensors that are views into it."""

from __future__ import annotations

import errno
import math
import mmap
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import StorageError, UnsafePathError
from sakedge.files.atomic import storage_error

# Without O_NONBLOCK the opening of a pipe waits for its other end.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


class MappedFile:
    """A mapped file. Pages are read when they are touched, and not before.

    It is opened once, and what was opened is judged, not what its name may have come to mean.
    Views keep the map alive; it is unmapped when the file is closed and the last of them is gone.

    Args:
        path: A regular file.
        may_be_link: Whether `path` itself may be a symbolic link to it.

    Attributes:
        path: The file.
        data: Its bytes, read-only; empty for an empty file.

    Raises:
        StorageError: The file is missing, not a regular file, or not readable.
        UnsafePathError: It is a link and may not be one.
    """

    def __init__(self, path: Path, *, may_be_link: bool = True) -> None:
        self.path = path
        self.data = memoryview(b"")
        self._map: mmap.mmap | None = None
        try:
            descriptor = _open(path, may_be_link)
            try:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
                    raise StorageError(
                        f"cannot read {path}", expected="a file", got=kind, remedy="Check the path"
                    )
                if status.st_size:
                    self._map = mmap.mmap(descriptor, status.st_size, access=mmap.ACCESS_READ)
                    self.data = memoryview(self._map)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise storage_error("cannot read", path, error) from error
        except ValueError as error:  # it became shorter since its size was asked for
            raise StorageError(f"cannot read {path}: {error}", remedy="Read it again") from error

    def check_length(self) -> None:
        """Checks that the file is still as long as it was.

        Bytes that are cut off while a file is mapped end the process when they are touched.

        Raises:
            StorageError: It is shorter.
        """
        if self._map is not None and self._map.size() < len(self.data):
            raise StorageError(
                f"{self.path} was cut short while it was in use",
                expected=f"{len(self.data)} bytes",
                got=f"{self._map.size()}",
                remedy="Replace a file by renaming another over it; copy this one again",
            )

    def advise(self, advice: str) -> None:
        """Advises the system how the file will be used, where that is supported.

        Args:
            advice: `RANDOM` (read no further than asked), `NORMAL`, or `DONTNEED` (drop the pages
                from this process; they come back when touched).
        """
        number, mapped = getattr(mmap, f"MADV_{advice}", None), self._map
        if mapped is not None and number is not None:
            mapped.madvise(number)

    def tensor(self, dtype: str, shape: tuple[int, ...], start: int) -> NDArray[Any]:
        """A read-only tensor at byte `start`: a view, or a copy where it is not aligned.

        The caller has checked that it lies inside the file.
        """
        return tensor_view(self.data, dtype, shape, start)

    def close(self) -> None:
        """Releases the map and the pages read; views read theirs again if needed."""
        self.advise("DONTNEED")
        self._map = None
        self.data = memoryview(b"")


def tensor_view(data: memoryview, dtype: str, shape: tuple[int, ...], start: int) -> NDArray[Any]:
    """A tensor at byte `start` of a buffer: a view, or a copy where it is not aligned.

    The caller has checked that it lies inside the buffer.
    """
    count = math.prod(shape)
    if start % np.dtype(dtype).itemsize:
        end = start + count * np.dtype(dtype).itemsize
        values = np.frombuffer(bytes(data[start:end]), dtype=dtype)
    else:
        values = np.frombuffer(data, dtype=dtype, count=count, offset=start)
    return values.reshape(shape)


def _open(path: Path, may_be_link: bool) -> int:
    """Opens a file, whatever it is, for reading."""
    if may_be_link:
        return os.open(path, _READ)
    problem = UnsafePathError(
        f"{path} is a link",
        expected="the file itself",
        remedy="Put the file where the link is",
    )
    if not _NO_LINK and path.is_symlink():
        raise problem
    try:
        return os.open(path, _READ | _NO_LINK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise problem from error
        raise
