"""Reads a file whole into memory, up to a stated size."""

from __future__ import annotations

import os
from pathlib import Path

from sakedge.errors import FileFormatError, StorageError
from sakedge.files.atomic import storage_error
from sakedge.files.opening import open_regular
from sakedge.files.paths import check_path


def read_bounded(
    path: Path,
    most: int,
    error: type[FileFormatError] = FileFormatError,
    *,
    may_be_link: bool = True,
) -> bytes:
    """A regular file's bytes, read once: what is checked is then what is used.

    Args:
        path: The file.
        most: Its largest size, bytes.
        error: Raised for a larger one.
        may_be_link: Whether `path` itself may be a symbolic link to it.

    Raises:
        StorageError: It is missing, not a regular file, not readable, or being changed.
        UnsafePathError: It is a link and may not be one.
        FileFormatError: The given subclass: it is larger.
    """
    check_path(path)
    try:
        descriptor, size = open_regular(path, may_be_link=may_be_link)
        with os.fdopen(descriptor, "rb") as file:
            # No more is asked for than is there: a read makes room for all that is asked.
            content = file.read(size + 1) if size <= most else b""
    except OSError as problem:
        raise storage_error("cannot read", path, problem) from problem
    if size > most:
        raise error(f"{path.name} is too large", expected=f"at most {most} bytes", got=f"{size}")
    if len(content) != size:
        raise StorageError(f"{path} was changed while it was read", remedy="Read it again")
    return content
