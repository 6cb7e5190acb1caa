"""Paths as callers give them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sakedge.errors import OptionError, StorageError, shown
from sakedge.files.atomic import storage_error


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
    try:
        is_possible = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        is_possible = False
    if not is_possible:
        raise StorageError(f"{shown(path)} cannot be a path", remedy="Check the path")
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
        raise storage_error("cannot find the folder of", path, error) from error
