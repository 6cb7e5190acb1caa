"""Names of roles, of their files, and of targets."""

from __future__ import annotations

from typing import Literal

from sakedge.errors import UnsafePathError, shown

Role = Literal["root", "targets", "snapshot", "timestamp"]
ROLES: tuple[Role, ...] = ("root", "targets", "snapshot", "timestamp")

METADATA = "metadata"
"""Folder of a repository for its metadata."""
TARGETS = "targets"
"""Folder of a repository for the files that it distributes."""
TIMESTAMP = "timestamp.json"
"""The one file of metadata whose name has no version: whoever comes begins with it."""

LONGEST_PART = 180
"""Bytes of a part of a target's name. A digest of 65 precedes the last in the folder."""
LONGEST = 1024
"""Bytes of a target's name."""
_NOT_IN_NAMES = frozenset('\\:*?"<>|')


def metadata_name(role: Role, version: int) -> str:
    """The name of a version of a role's metadata, e.g. `3.root.json`."""
    return TIMESTAMP if role == "timestamp" else f"{version}.{role}.json"


def target_path(name: str, sha256: str) -> tuple[str, ...]:
    """Where a target lies in a repository, part by part; its digest precedes its file's name."""
    *folders, last = name.split("/")
    return (TARGETS, *folders, f"{sha256}.{last}")


def check_target_name(name: object) -> str:
    """Returns a target's name if it is one that can lead nowhere else, on no system.

    Args:
        name: A relative path with `/` between its parts.

    Raises:
        UnsafePathError: It is none.
    """
    if isinstance(name, str) and _is_plain(name) and all(map(_is_part, name.split("/"))):
        return name
    raise UnsafePathError(
        "a file cannot be distributed under this name",
        expected="a relative path with / between its parts, none of which begins with a dot",
        got=shown(name),
        remedy="Rename it",
    )


def _is_plain(name: str) -> bool:
    # What prints has no half of a surrogate pair, and so has UTF-8.
    return name.isprintable() and not _NOT_IN_NAMES & set(name) and len(name.encode()) <= LONGEST


def _is_part(part: str) -> bool:
    is_plain = part.strip() == part and not part.startswith(".") and not part.endswith(".")
    return part != "" and is_plain and len(part.encode()) <= LONGEST_PART
