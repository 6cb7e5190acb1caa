"""Lists of files by SHA-256, as `sha256sum -c` reads them too.

The first line is a remark with the SHA-256 of all that follows, so that no byte of a list can
change unseen either.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from sakedge.errors import BundleError
from sakedge.files.bounded import read_bounded
from sakedge.files.names import LONGEST, is_plain_name

MAX_BYTES = 32 << 20
MAX_FILES = 100_000
_CHUNK = 1 << 20
_FIRST = re.compile(r"# sakedge list 1, SHA-256 of what follows: ([0-9a-f]{64})")
_LINE = re.compile(r"([0-9a-f]{64})  ([^\n]+)")
_DEEPEST = 40

Seen = Callable[[int], None]
"""Called with the number of bytes that were read."""


def is_safe_path(name: str) -> bool:
    """Whether a name with `/` stays in its folder and prints, on any system."""
    parts = name.split("/")
    return len(parts) <= _DEEPEST and len(name) <= 8 * LONGEST and all(map(is_plain_name, parts))


def write_listing(files: Mapping[str, str]) -> bytes:
    """A list of files.

    Args:
        files: Path from the folder of the list, with `/` → SHA-256.

    Raises:
        BundleError: A name could not be carried to every system.
    """
    for name in files:
        if not is_safe_path(name):
            raise BundleError(
                f"no file of a bundle can be called {name!r}",
                expected="letters, digits and signs that every file system takes",
                remedy="Rename it",
            )
    rows = "".join(f"{files[name]}  {name}\n" for name in sorted(files)).encode()
    first = f"# sakedge list 1, SHA-256 of what follows: {hashlib.sha256(rows).hexdigest()}\n"
    return first.encode() + rows


def read_listing(path: Path) -> dict[str, str]:
    """Reads a list.

    Raises:
        BundleError: It was changed, or is none.
        StorageError: It cannot be read.
    """
    content = read_bounded(path, MAX_BYTES, BundleError, may_be_link=False)
    return parse_listing(content, path.name)


def parse_listing(content: bytes, name: str) -> dict[str, str]:
    """Reads a list's bytes; `name` is for errors, which are those of `read_listing`."""
    head, _, rest = content.partition(b"\n")
    first = _FIRST.fullmatch(head.decode("ascii", "replace"))
    if first is None:
        raise _damaged(name, "its first line is none of a list")
    if hashlib.sha256(rest).hexdigest() != first[1]:
        raise _damaged(name, "it was changed: its own SHA-256 is not that of its first line")
    try:
        lines = rest.decode().split("\n")
    except UnicodeDecodeError:
        raise _damaged(name, "it is not in UTF-8") from None
    found = [_LINE.fullmatch(line) for line in lines[:-1]]
    rows = [(line[2], line[1]) for line in found if line is not None]
    names = [row[0] for row in rows]
    if lines[-1] != "" or len(rows) < len(found) or len(rows) > MAX_FILES:
        raise _damaged(name, "its lines are not those of a list")
    if names != sorted(set(names)) or not all(map(is_safe_path, names)):
        raise _damaged(name, "it has names that are unsafe, unsorted or there twice")
    return dict(rows)


def digest_of(file: BinaryIO, seen: Seen | None = None, copy: BinaryIO | None = None) -> str:
    """The SHA-256 of an open file.

    Args:
        file: The file, from where it stands.
        seen: Told of each chunk.
        copy: Where the same bytes go that were digested.
    """
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        if copy is not None:
            copy.write(chunk)
        if seen is not None:
            seen(len(chunk))
    return digest.hexdigest()


def _damaged(name: str, reason: str) -> BundleError:
    return BundleError(f"{name} is damaged: {reason}", remedy="Copy the bundle again")
