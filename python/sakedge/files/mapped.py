"""A read-only memory map of a file, and tensors that are views into it."""

from __future__ import annotations

import math
import mmap
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import StorageError
from sakedge.files.atomic import storage_error
from sakedge.files.opening import open_regular


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
            descriptor, size = open_regular(path, may_be_link=may_be_link)
            try:
                if size:
                    self._map = mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)
                    self.data = memoryview(self._map)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise storage_error("cannot read", path, error) from error
        except ValueError as error:  # it became shorter since its size was asked for
            raise StorageError(f"cannot read {path}: {error}", remedy="Read it again") from error

    @classmethod
    def held(cls, path: Path, content: memoryview) -> MappedFile:
        """What was at `path` and is in memory already, e.g. because it lies there encrypted."""
        held = cls.__new__(cls)
        held.path, held.data, held._map = path, content.toreadonly(), None
        return held

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
