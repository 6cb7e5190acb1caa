"""The files of a folder, which are compared with a list of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sakedge.bundling.installer.listing import MAX_FILES, Seen, digest_of
from sakedge.errors import SakedgeError
from sakedge.files.atomic import storage_error
from sakedge.files.opening import open_regular


@dataclass(frozen=True)
class Fault:
    """One thing that is not as it was shipped.

    Attributes:
        name: The file.
        problem: What is wrong with it.
    """

    name: str
    problem: str

    def __str__(self) -> str:
        return f"{self.name}: {self.problem}"


def found_in(folder: Path) -> dict[str, str]:
    """Everything in a folder that is no folder: path from there → `file`, `link` or `other`.

    Raises:
        StorageError: It cannot be read.
    """
    try:
        return dict(sorted(_walk(folder)))
    except OSError as error:
        raise storage_error("cannot read", folder, error) from error


def _walk(folder: Path) -> Iterator[tuple[str, str]]:
    count, pending = 0, [(folder, "")]
    while pending:
        here, prefix = pending.pop()
        with os.scandir(here) as entries:
            for entry in entries:
                count += 1
                if count > MAX_FILES:
                    raise OSError(f"it holds more than {MAX_FILES} files")
                name = f"{prefix}{entry.name}"
                if entry.is_symlink():
                    yield name, "link"
                elif entry.is_dir():
                    pending.append((here / entry.name, f"{name}/"))
                else:
                    yield name, "file" if entry.is_file() else "other"


def compare(
    folder: Path,
    listed: Mapping[str, str],
    found: Mapping[str, str],
    *,
    seen: Seen | None = None,
    known: Callable[[str], bool] = lambda name: False,
) -> list[Fault]:
    """Every file that is missing, changed, or there without being listed.

    Args:
        folder: The folder.
        listed: Path → SHA-256.
        found: What is there, see `found_in`.
        seen: Told of the bytes read.
        known: Whether a name that is not listed is accounted for elsewhere.
    """
    faults = []
    for name, kind in found.items():
        if name not in listed and not known(name):
            what = "a link" if kind == "link" else "there"
            faults.append(Fault(name, f"is {what}, and was not shipped"))
    for name, sha256 in listed.items():
        kind = found.get(name, "")
        if kind == "file":
            problem = _difference(folder / name, sha256, seen)
            faults += [Fault(name, problem)] if problem else []
        elif not kind:
            faults.append(Fault(name, "is missing"))
        else:
            faults.append(Fault(name, f"is {'a link' if kind == 'link' else 'no regular file'}"))
    return faults


def _difference(path: Path, sha256: str, seen: Seen | None) -> str:
    try:
        descriptor, _ = open_regular(path, may_be_link=False)
        with os.fdopen(descriptor, "rb") as file:
            digest = digest_of(file, seen)
    except (OSError, SakedgeError) as error:
        return f"cannot be read: {error}"
    return "" if digest == sha256 else f"was changed: SHA-256 {digest}, not {sha256}"
