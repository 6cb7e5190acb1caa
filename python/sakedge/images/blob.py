"""The bytes of an encoded image, wherever they lie: in a file, a file object or memory."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

from sakedge.errors import ImageError, StorageError, shown

_BINARY = "an open binary file that can seek, e.g. open(path, 'rb')"


class Blob:
    """An encoded image that is read piece by piece.

    Attributes:
        name: What messages call it.
        size: Its length in bytes.
    """

    def __init__(self, file: Any, name: str) -> None:
        """Wraps a file object: what lies between its position and its end.

        Raises:
            ImageError: It is no binary file object that can seek.
            StorageError: It cannot be read.
        """
        self.name = name
        self._file = file
        self._start = self._ask("tell")
        self._ask("seek", 0, os.SEEK_END)
        end = self._ask("tell")
        if not (isinstance(self._start, int) and isinstance(end, int)):
            raise ImageError(f"{name} has no position", expected=_BINARY)
        self.size = max(0, end - self._start)

    def read(self, offset: int = 0, length: int | None = None) -> bytes:
        """So many bytes from an offset on, fewer where the image ends before; all by default."""
        left = max(0, self.size - offset)
        if length is not None:
            left = min(left, length)
        if left == 0:
            return b""
        self._ask("seek", self._start + offset)
        pieces = []
        while left:
            piece = self._ask("read", left)
            if not isinstance(piece, (bytes, bytearray, memoryview)) or len(piece) > left:
                raise ImageError(
                    f"{self.name} gives no bytes", expected=_BINARY, got=type(piece).__name__
                )
            if not piece:
                break
            pieces.append(piece)
            left -= len(piece)
        return bytes(pieces[0]) if len(pieces) == 1 else b"".join(pieces)

    def _ask(self, method: str, *arguments: int) -> Any:
        try:
            return getattr(self._file, method)(*arguments)
        except io.UnsupportedOperation as error:
            raise ImageError(
                f"{self.name} cannot {method}",
                expected=_BINARY,
                remedy="Read it first and pass the bytes: file.read()",
            ) from error
        except OSError as error:
            raise StorageError(
                f"cannot read {self.name}",
                expected="a readable image file",
                got=error.strerror or shown(error),
                remedy="Copy it again or check the medium",
            ) from error
        except Exception as error:  # a file object is anybody's code
            raise ImageError(
                f"{self.name} cannot be read as a file",
                expected=_BINARY,
                got=shown(error),
            ) from error


def open_regular(path: str) -> BinaryIO:
    """Opens a regular file for reading, and nothing that blocks, never ends or is a device.

    Raises:
        ImageError: It is empty.
        StorageError: It is missing, forbidden, or another kind of file.
    """
    try:
        _check_regular(path, Path(path).stat())
        # Its only owner is the file object: a descriptor that is closed twice, when an interrupt
        # comes in between, may be another file's by then.
        file = open(path, "rb", opener=_open_now)  # noqa: SIM115
        try:
            _check_regular(path, os.fstat(file.fileno()))
        except BaseException:
            file.close()
            raise
        return file
    except OSError as error:
        raise StorageError(
            f"cannot open {path}",
            expected="a readable image file",
            got=error.strerror or str(error),
            remedy="Check the path and its permissions",
        ) from error
    except ValueError as error:  # a NUL byte or a lone surrogate in the path
        raise StorageError("cannot open the image", expected="a path", got=shown(path)) from error


def _open_now(path: str, flags: int) -> int:
    """Opens a file; should a FIFO have taken its place, without waiting for a writer."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _check_regular(path: str, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise StorageError(
            f"{path} is a directory",
            expected="an image file",
            remedy="Use student.stream(directory) for every image in it",
        )
    if not stat.S_ISREG(status.st_mode):
        raise StorageError(
            f"{path} is no regular file",
            expected="an image file",
            got="a device, a pipe or a socket",
            remedy="Use student.stream(…) for a camera; save an image to a file first",
        )
    if status.st_size == 0:  # as the kernel's files say, some of which would block
        raise ImageError(f"{path} is empty", expected="an image file", got="0 bytes")
