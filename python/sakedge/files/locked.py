"""A lock that several processes and threads take in turn, released by the system if one dies."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sakedge.errors import StorageError
from sakedge.files.atomic import storage_error

_Lock = Callable[[int, bool], None]

try:
    from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, flock
except ImportError:
    import msvcrt

    _PLACE = 1 << 30
    """Windows lets nobody read a byte that is locked: one far behind the holder's number."""

    def _lock(descriptor: int, shared: bool) -> None:
        os.lseek(descriptor, _PLACE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _PLACE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined,unused-ignore]
else:

    def _lock(descriptor: int, shared: bool) -> None:
        flock(descriptor, (LOCK_SH if shared else LOCK_EX) | LOCK_NB)

    def _unlock(descriptor: int) -> None:
        flock(descriptor, LOCK_UN)


_OPEN = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_LONGEST_PAUSE = 0.02
"""Seconds between two tries."""


@contextmanager
def locked(path: Path, *, timeout: float = 10.0, shared: bool = False) -> Iterator[None]:
    """Holds the lock of a file, which is created and stays, while the block runs.

    Args:
        path: The file. It holds the number of the process that has, or last had, the lock alone.
        timeout: Seconds to wait for it.
        shared: Whether others may hold it shared at the same time (on Windows they may not).

    Raises:
        StorageError: The file cannot be written, or the lock was not free in time.
    """
    try:
        descriptor = os.open(path, _OPEN, 0o666)
    except OSError as error:
        raise storage_error("cannot lock", path, error) from error
    try:
        _wait(descriptor, path, timeout, shared)
        try:
            if not shared:
                _sign(descriptor)
            yield
        finally:
            # Not left to the closing: a process forked meanwhile has the descriptor too.
            with suppress(OSError):
                _unlock(descriptor)
    finally:
        os.close(descriptor)


def _wait(descriptor: int, path: Path, timeout: float, shared: bool) -> None:
    end = time.monotonic() + timeout
    pause = 0.0005
    while True:
        try:
            return _lock(descriptor, shared)
        except (BlockingIOError, PermissionError):  # it is taken; the latter on Windows
            pass
        except OSError as error:
            raise storage_error("cannot lock", path, error) from error
        if time.monotonic() > end:
            holder = os.pread(descriptor, 20, 0) if hasattr(os, "pread") else b""
            number = holder.decode(errors="replace").strip()
            raise StorageError(
                f"{path} was locked for {timeout:g} s",
                got=f"process {number} holds it" if number.isdigit() else None,
                remedy="Wait for the process that holds it, or end it",
            )
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _sign(descriptor: int) -> None:
    """Writes who holds it; a full disk is no reason not to hold it."""
    with suppress(OSError):
        os.lseek(descriptor, 0, os.SEEK_SET)
        # Always as long: to cut the file first would make some file systems flush it.
        os.write(descriptor, f"{os.getpid():<19}\n".encode())
