"""What may be written: looked at before any work."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from sakedge.errors import OptionError, StorageError
from sakedge.files.paths import check_path


def check_target(path: Path) -> None:
    """Finds out before any work whether a file could be written.

    Raises:
        StorageError: The name is impossible, something that is no file has it, or the file is
            read-only.
    """
    check_path(path)
    try:
        mode = path.lstat().st_mode
    except OSError:  # nothing there, or creating it will say why not
        return
    if stat.S_ISLNK(mode):
        return
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a device or pipe"
        raise StorageError(f"cannot write {path}", expected="a file", got=kind)
    if not os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        raise StorageError(
            f"cannot write {path}: it is read-only",
            remedy="Allow writing to it or choose another name",
        )


def followed(path: Path) -> Path:
    """The file that a link points to, which is what someone who names the link means."""
    return Path(os.path.realpath(path)) if is_link(path) else path


def is_link(path: Path) -> bool:
    """Whether a path is a symbolic link, as far as that can be found out."""
    try:
        return stat.S_ISLNK(path.lstat().st_mode)
    except (OSError, ValueError):  # not there, not allowed, or no path at all
        return False


def refuse_inputs(output: Path, inputs: Iterable[str | Path]) -> None:
    """Refuses an output that is one of the inputs, under whatever name.

    Raises:
        OptionError: It is.
    """
    for each in inputs:
        with suppress(OSError, ValueError):  # an output that is not there yet is no input
            if output.samefile(each):
                raise OptionError(
                    f"{output} would overwrite the input {each}", remedy="Choose another name"
                )
