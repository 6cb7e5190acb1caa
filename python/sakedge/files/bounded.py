"""Reads a file whole into memory, up to a stated size."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from sakedge.errors import FileFormatError, StorageError
from sakedge.files.atomic import storage_error
from sakedge.files.paths import check_path

# Without O_NONBLOCK the opening of a pipe waits for its other end.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def read_bounded(path: Path, most: int, error: type[FileFormatError] = FileFormatError) -> bytes:
    """A regular file's bytes, read once: what is checked is then what is used.

    Args:
        path: The file.
        most: Its largest size, bytes.
        error: Raised for a larger one.

    Raises:
        StorageError: It is missing, not a regular file, or not readable.
        FileFormatError: The given subclass: it is larger.
    """
    check_path(path)
    try:
        with os.fdopen(os.open(path, _READ), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise StorageError(f"cannot read {path}", expected="a file", got="something else")
            # It may grow while it is read.
            content = file.read(most + 1) if status.st_size <= most else None
    except OSError as problem:
        raise storage_error("cannot read", path, problem) from problem
    if content is None or len(content) > most:
        raise error(
            f"{path.name} is too large",
            expected=f"at most {most} bytes",
            got=f"{status.st_size if content is None else len(content)}",
        )
    return content
