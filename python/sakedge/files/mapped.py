"""A read-only memory map of a file, and tensors that are views into it."""

from __future__ import annotations

import math
import mmap
import stat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import StorageError
from sakedge.files.atomic import storage_error


class MappedFile:
    """A mapped file. Pages are read when they are touched, and not before.

    Views keep the map alive; it is unmapped when the file is closed and the last of them is gone.

    Args:
        path: A regular file.

    Attributes:
        path: The file.
        data: Its bytes, read-only; empty for an empty file.

    Raises:
        StorageError: The file is missing, not a regular file, or not readable.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = memoryview(b"")
        self._map: mmap.mmap | None = None
        try:
            mode = path.stat().st_mode
            # Checked before it is opened: opening a pipe waits for its other end.
            if not stat.S_ISREG(mode):
                kind = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
                raise StorageError(
                    f"cannot read {path}", expected="a file", got=kind, remedy="Check the path"
                )
            with path.open("rb") as file:
                if path.stat().st_size:
                    self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
                    self.data = memoryview(self._map)
        except OSError as error:
            raise storage_error("cannot read", path, error) from error

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
        count = math.prod(shape)
        if start % np.dtype(dtype).itemsize:
            end = start + count * np.dtype(dtype).itemsize
            values = np.frombuffer(bytes(self.data[start:end]), dtype=dtype)
        else:
            values = np.frombuffer(self.data, dtype=dtype, count=count, offset=start)
        return values.reshape(shape)

    def close(self) -> None:
        """Releases the map and the pages read; views read theirs again if needed."""
        self.advise("DONTNEED")
        self._map = None
        self.data = memoryview(b"")
