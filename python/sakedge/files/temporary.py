"""Temporary files of writers, and the removal of those whose writer has died.

A writer holds a lock on its temporary file for as long as it lives; the system releases the lock of
a process that was killed. So whoever gets the lock knows that the file is left over.
"""

from __future__ import annotations

import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    from fcntl import LOCK_EX, LOCK_NB, flock
except ImportError:  # Windows: judged by age alone
    _lock: Callable[[int], None] | None = None
else:

    def _lock(descriptor: int) -> None:
        flock(descriptor, LOCK_EX | LOCK_NB)


PREFIX, SUFFIX = ".sakedge-", ".tmp"
_LONGEST_WRITE = 24 * 3600.0
"""Seconds. Where a file system has no locks, a file that old is taken for left over."""
_OPEN = os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
_NEW = _OPEN | os.O_CREAT | os.O_EXCL


def create(folder: Path) -> tuple[int, Path]:
    """Creates a temporary file with the permissions that any new file would get there.

    Returns:
        Its descriptor, locked where the system has locks, and its path.
    """
    while True:
        path = folder / f"{PREFIX}{secrets.token_hex(8)}{SUFFIX}"
        descriptor = os.open(path, _NEW, 0o666)
        # Between its creation and the lock it looks left over: then another one is made.
        if claim(descriptor) is not False and path.exists():
            return descriptor, path
        os.close(descriptor)


def claim(descriptor: int) -> bool | None:
    """Takes a file's lock: whether that succeeded, or None where there are no locks."""
    if _lock is None:
        return None
    try:
        _lock(descriptor)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


@contextmanager
def lease(descriptor: int) -> Iterator[None]:
    """Keeps the lock while the block runs, also after the descriptor itself was closed."""
    if _lock is None:  # and a file that is open cannot be renamed
        yield
        return
    held = os.dup(descriptor)
    try:
        yield
    finally:
        os.close(held)


def is_left_over(descriptor: int) -> bool:
    """Whether the writer of an open file has died; False of what is no regular file."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        return False
    claimed = claim(descriptor)
    return time.time() - status.st_mtime > _LONGEST_WRITE if claimed is None else claimed


def sweep(folder: Path) -> None:
    """Removes the temporary files of dead writers, as far as that is possible."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX) and entry.name.endswith(SUFFIX):
                remove_unused(Path(entry.path))


def remove_unused(path: Path) -> None:
    """Removes a file unless a living writer may hold it."""
    with suppress(OSError):
        # A pipe of this name must not be waited for.
        descriptor = os.open(path, _OPEN | getattr(os, "O_NONBLOCK", 0))
        try:
            left_over = is_left_over(descriptor)
            if left_over and _lock is not None:
                path.unlink()  # while the lock is held: a writer that begins finds it gone
        finally:
            os.close(descriptor)
        if left_over and _lock is None:
            path.unlink()
