"""A folder for what a comparison makes, gone with it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sakedge.errors import StorageError


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder of its own, removed with all that is in it when the block ends.

    Raises:
        StorageError: There is none to be had.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="sakedge-")
    except OSError as error:
        raise StorageError(
            "there is no folder for temporary files",
            got=error.strerror or str(error),
            remedy="Set TMPDIR to a folder that can be written",
        ) from error
    with folder as path:
        yield Path(path)
