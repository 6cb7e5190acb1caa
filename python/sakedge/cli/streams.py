"""The standard streams of the process, which may be closed, full, or of a narrow encoding."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TextIO


def fill_descriptors() -> None:
    """Opens those of the descriptors 0, 1 and 2 that are closed, onto nothing.

    Otherwise the next file opened would get that number, and libraries would print into it.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is this one; children expect to inherit it.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def prepare() -> None:
    """Makes printing possible: there are streams, and they take any character.

    Without standard output, as in a service or under pythonw, results go to standard error.
    """
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = sys.stderr
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def settle() -> OSError | None:
    """Writes what is still buffered, at the end of the process.

    Returns:
        Why standard output takes no more, if so.
    """
    _flush(sys.stderr)
    return _flush(sys.stdout)


def _flush(stream: TextIO) -> OSError | None:
    try:
        stream.flush()
    except OSError as error:
        # Python would try again at exit, and change the exit code.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
        return error
    return None
