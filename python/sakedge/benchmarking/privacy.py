"""What a record keeps to itself: a folder's name may be a person's or a customer's."""

from __future__ import annotations

import getpass
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sakedge.benchmarking.record import Identity

_FOLDERS = re.compile(r"(?<![\w.])(?:[A-Za-z]:)?[/\\](?:[^/\\\s'\"]+[/\\])+")
"""The folders of an absolute path."""


def without_folders(value: Any) -> Any:
    """The same with every absolute path cut to its last part, in all texts within."""
    if isinstance(value, str):
        return _FOLDERS.sub("…/", value)
    if isinstance(value, Mapping):
        return {key: without_folders(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_folders(each) for each in value]
    return value


def described(explanation: Mapping[str, Any]) -> dict[str, Any]:
    """`student.explain()` for a record: the file by its name, no folder."""
    return {**without_folders(explanation), "path": Path(str(explanation["path"])).name}


def identity(student: Path) -> Identity:
    """Whose machine it is; only where it was asked for."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):  # no name for this number
        user = "unknown"
    return Identity(host=platform.node(), user=user, student_path=str(student.absolute()))
