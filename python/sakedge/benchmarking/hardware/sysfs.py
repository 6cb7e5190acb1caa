"""Small files of the kernel, below a root that tests move; and why a reading is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_MOST = 1 << 16
"""Bytes read of one file."""


class Gaps(dict[str, str]):
    """Name of a field that could not be read → why. The first reason stays."""

    def note(self, field: str, reason: str) -> None:
        """Keeps the reason, unless there is one."""
        self.setdefault(field, reason)


def text(path: Path) -> str | None:
    """A file's text without white space and zero bytes around it; None if it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST)
    except OSError:
        return None
    return content.decode(errors="replace").strip(" \t\r\n\0") or None


def number(path: Path) -> int | None:
    """A file's whole number; None if it cannot be read or is none."""
    found = text(path)
    if found is None or not re.fullmatch(r"-?[0-9]{1,19}", found):
        return None
    return int(found)


def numbered(folder: Path, pattern: str) -> Iterator[Path]:
    """What a folder holds under a pattern, in the order of the numbers in their names."""
    try:
        found = list(folder.glob(pattern))
    except OSError:
        return
    yield from sorted(found, key=_by_numbers)


def refusal(path: Path) -> str:
    """Why a file cannot be read, in few words."""
    try:
        with path.open("rb") as file:
            file.read(1)
    except PermissionError:
        return f"no permission to read {path.name}; it may need root"
    except OSError as error:
        return f"{path.name}: {error.strerror or 'not readable'}"
    return f"{path.name} holds no number"


def _by_numbers(path: Path) -> tuple[str, list[int]]:
    digits = [int(each) for each in re.findall(r"[0-9]+", path.name)]
    return re.sub(r"[0-9]+", "", path.name), digits
