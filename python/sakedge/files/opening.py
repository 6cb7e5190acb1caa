"""Opens a file for reading, whatever its name may have come to mean."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from sakedge.errors import StorageError, UnsafePathError

# Without O_NONBLOCK the opening of a pipe waits for its other end.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def open_regular(path: Path, *, may_be_link: bool = True) -> tuple[int, int]:
    """Opens a regular file. What was opened is judged, not its name.

    Args:
        path: The file.
        may_be_link: Whether `path` itself may be a symbolic link to it.

    Returns:
        Its descriptor, and its size in bytes.

    Raises:
        OSError: It is missing or not readable.
        StorageError: It is no regular file.
        UnsafePathError: It is a link and may not be one.
    """
    descriptor = _open(path, may_be_link)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        raise StorageError(
            f"cannot read {path}", expected="a file", got=kind, remedy="Check the path"
        )
    return descriptor, status.st_size


def _open(path: Path, may_be_link: bool) -> int:
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
