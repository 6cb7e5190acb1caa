"""Bytecode beside sources: not shipped, but run, so it must be what the sources compile to."""

from __future__ import annotations

import importlib.util
import marshal
import re
import warnings
from collections.abc import Collection
from pathlib import Path, PurePosixPath

_NAME = re.compile(r"([^.]+(?:\.[^.]+)*)\.cpython-\d+(?:\.opt-[12])?\.pyc")
_HEADER = 16
_LARGEST = 64 << 20


def source_of(name: str) -> str | None:
    """The source that a file of bytecode belongs to, by their paths; None if it is no such file."""
    path = PurePosixPath(name)
    found = _NAME.fullmatch(path.name)
    if found is None or path.parent.name != "__pycache__":
        return None
    return str(path.parent.parent / f"{found[1]}.py")


def belongs(name: str, listed: Collection[str]) -> bool:
    """Whether a file is bytecode of a source that was shipped."""
    source = source_of(name)
    return source is not None and source in listed


def is_compiled(folder: Path, name: str) -> bool:
    """Whether bytecode is what this Python makes of its source, which was found to be sound.

    Code is compared as code: how it is written down differs from time to time.

    Args:
        folder: Where both lie.
        name: Path of the bytecode from there.
    """
    source, path = source_of(name), folder / name
    if source is None or path.stat().st_size > _LARGEST:
        return False
    content = path.read_bytes()
    if content[:4] != importlib.util.MAGIC_NUMBER:
        return False
    level = 2 if ".opt-2." in name else 1 if ".opt-1." in name else 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = compile(
                (folder / source).read_bytes(), source, "exec", dont_inherit=True, optimize=level
            )
        return bool(marshal.loads(content[_HEADER:]) == expected)
    except (ValueError, TypeError, EOFError, SyntaxError, OverflowError, MemoryError):
        return False
