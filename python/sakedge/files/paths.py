"""Paths as callers give them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sakedge.errors import OptionError, StorageError, shown


def file_path(what: str, given: Any) -> Path:
    """A path that a system call takes, from whatever a caller gave as one.

    Args:
        what: What it is the path of, for the message, e.g. `the pack`.
        given: A string or an object with a path.

    Raises:
        OptionError: It is neither.
        StorageError: It has a character that no path has.
    """
    try:
        path = os.fspath(given)
    except Exception:  # a TypeError, or whatever a class of the caller's raises
        path = None
    # A path of bytes names a file too, but has no name that messages and reports could give.
    if not isinstance(path, str):
        raise OptionError(
            f"{what} is given by its path",
            expected="a string or a pathlib.Path",
            got=f"{shown(given)} ({type(given).__name__})",
        )
    check_path(path)
    return Path(path)


def absolute_path(what: str, given: Any) -> Path:
    """The same as an absolute path, for use after the process has changed its folder.

    Raises:
        OptionError, StorageError: As for `file_path`, or the current folder is gone.
    """
    path = file_path(what, given)
    try:
        return path.absolute()
    except OSError as error:
        problem = f"{path} lies in the current folder, which is gone"
        raise StorageError(problem, remedy="Give an absolute path") from error


def check_path(path: str | Path) -> None:
    """Refuses a path that the system cannot express.

    Raises:
        StorageError: It holds a NUL or characters that the file system's encoding lacks.
    """
    try:
        is_possible = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        is_possible = False
    if not is_possible:
        raise StorageError(
            "no file can have this path", got=shown(os.fspath(path)), remedy="Check the path"
        )
