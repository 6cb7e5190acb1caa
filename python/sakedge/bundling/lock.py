"""The lock: every package of a bundle by version and the SHA-256 of the one wheel that is meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sakedge.errors import BundleError
from sakedge.files.bounded import read_bounded

_MAX = 1 << 20
_FIRST = re.compile(r"# sakedge lock 1: ([A-Za-z0-9_.-]+)")
_ROW = re.compile(r"([a-z0-9-]+)==([A-Za-z0-9_.!+-]+) --hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Locked:
    """A package.

    Attributes:
        version: Its version.
        sha256: Of its wheel.
    """

    version: str
    sha256: str


def write_lock(target: str, packages: Mapping[str, Locked]) -> bytes:
    """The file, which pip reads as requirements with hashes."""
    rows = [
        f"{name}=={packages[name].version} --hash=sha256:{packages[name].sha256}\n"
        for name in sorted(packages)
    ]
    return f"# sakedge lock 1: {target}\n{''.join(rows)}".encode()


def read_lock(path: Path, target: str) -> Mapping[str, Locked]:
    """Reads a lock.

    Args:
        path: Its file.
        target: For which it has to be.

    Raises:
        BundleError: It is malformed, or was made for another target.
        StorageError: It cannot be read.
    """
    text = read_bounded(path, _MAX, BundleError).decode(errors="replace")
    first, *lines = text.splitlines() or [""]
    head = _FIRST.fullmatch(first)
    rows = [_ROW.fullmatch(line) for line in lines]
    found = {row[1]: Locked(row[2], row[3]) for row in rows if row is not None}
    if head is None or len(found) < len(rows) or not found:
        raise BundleError(
            f"{path} is no lock of a bundle",
            expected="requirements.txt of a bundle that was made here",
            remedy="Leave --lock out to resolve anew",
        )
    if head[1] != target:
        raise BundleError(f"{path} is for another target", expected=target, got=head[1])
    return found
