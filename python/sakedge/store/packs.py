"""The packs in a store: each in a folder named by its SHA-256, under its own name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sakedge.errors import DigestError, EnvelopeError, SakedgeError, StorageError, StoreError
from sakedge.files.atomic import atomic_write, is_there, make_folder
from sakedge.files.bounded import read_bounded
from sakedge.files.mapped import MappedFile
from sakedge.store.entry import FileName, Version
from sakedge.store.layout import Layout
from sakedge.store.schema import checked, names_in, remove
from sakedge.trust.envelope import envelope_path

MOST_PACK = 4 << 30
"""Bytes of a pack, as the site admits. The largest real ones have some 100 MB."""
MOST_ENVELOPE = 5 << 20


@dataclass(frozen=True)
class Incoming:
    """A pack that is to be added.

    Attributes:
        file: Its name.
        content: The whole file, as it came.
        envelope: Its signed envelope, or None.
    """

    file: str
    content: bytes | memoryview
    envelope: bytes | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self.content).hexdigest()


def read_incoming(path: Path) -> Incoming:
    """Reads a pack and the envelope beside it, without a look at what is in them.

    Raises:
        StorageError: It cannot be read.
        FileFormatError: It, or its envelope, is larger than any.
        OptionError: It has a name that the store cannot keep.
    """
    content = read_bounded(path, MOST_PACK)
    return Incoming(file_name(path.name), content, read_envelope(envelope_path(path)))


def read_envelope(path: Path) -> bytes | None:
    """An envelope, or None where there is none.

    Raises:
        StorageError: It cannot be read.
        EnvelopeError: It is larger than any envelope.
    """
    return read_bounded(path, MOST_ENVELOPE, EnvelopeError) if is_there(path) else None


def file_name(name: str) -> str:
    """Checks that a pack can lie in the store under this name.

    Raises:
        OptionError: It cannot.
    """
    return checked(FileName, "a name of a pack", name)


def put(layout: Layout, pack: Incoming, digest: str, file: str) -> dict[Path, bytes | None]:
    """Puts a pack in its folder. One that is there and whole stays; its envelope is replaced.

    Args:
        layout: The store's.
        pack: The pack.
        digest: Its SHA-256.
        file: Its name in the store.

    Returns:
        What each file that was written held before; None where there was none.

    Raises:
        StorageError: It cannot be written.
    """
    path = layout.pack(digest) / file
    make_folder(path.parent)
    before: dict[Path, bytes | None] = {}
    if not is_whole(path, digest):
        _write(path, pack.content)
        before[path] = None
    there = read_envelope(envelope_path(path))
    if pack.envelope is not None and pack.envelope != there:
        before[envelope_path(path)] = there
        _write(envelope_path(path), pack.envelope)
    return before


def take_back(before: Mapping[Path, bytes | None]) -> None:
    """Undoes `put`.

    Raises:
        StorageError: It cannot be written.
    """
    for path, content in before.items():
        if content is None:
            remove([path])
        else:
            _write(path, content)


def check(layout: Layout, version: Version) -> Path:
    """The file of a pack, after a look at every byte of it.

    Raises:
        StoreError: It is not there.
        DigestError: It was changed or damaged.
    """
    path = layout.pack(version.digest) / version.file
    problem = f"the pack of {version} in the store"
    remedy = "Add the pack again: that repairs it"
    try:
        found = hashlib.sha256(MappedFile(path, may_be_link=False).data).hexdigest()
    except SakedgeError as error:
        raise StoreError(f"{problem} cannot be read: {error.problem}", remedy=remedy) from error
    if found != version.digest:
        raise DigestError(
            f"{problem} was changed or damaged",
            expected=f"SHA-256 {version.digest}",
            got=found,
            remedy=remedy,
        )
    return path


def is_whole(path: Path, digest: str) -> bool:
    """Whether a pack has the digest that its folder is named by."""
    try:
        return hashlib.sha256(MappedFile(path, may_be_link=False).data).hexdigest() == digest
    except SakedgeError:
        return False


def discard(layout: Layout, digests: Iterable[str]) -> None:
    """Removes packs.

    Raises:
        StorageError: They cannot be removed.
    """
    for digest in digests:
        folder = layout.pack(digest)
        remove(folder / name for name in names_in(folder))
        try:
            folder.rmdir()
        except OSError as error:  # somebody has put a file there; the store did not
            raise StorageError(f"cannot remove {folder}: {error.strerror}") from error


def copy(path: Path, folder: Path) -> None:
    """Writes a pack of the store, and its envelope, into a folder.

    Raises:
        StorageError: It cannot be written.
    """
    _write(folder / path.name, MappedFile(path, may_be_link=False).data)
    signed = read_envelope(envelope_path(path))
    if signed is not None:
        _write(folder / envelope_path(path).name, signed)


def _write(path: Path, content: bytes | memoryview) -> None:
    with atomic_write(path) as file:
        file.write(content)
