"""A signed folder, e.g. of golden images: every file in it is under one signature."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from sakedge.errors import FileFormatError, OptionError, SignatureError, UnsafePathError
from sakedge.files.atomic import storage_error
from sakedge.files.mapped import MappedFile
from sakedge.files.paths import file_path
from sakedge.trust.envelope import (
    FOLDER_ENVELOPE,
    Signed,
    open_statement,
    read_folder_envelope,
    seal,
)
from sakedge.trust.keyring import Keyring
from sakedge.trust.keys import PrivateKey
from sakedge.trust.statement import FOLDER, MAX_SUBJECTS, Subject


def sign_folder(folder: str | Path, key: PrivateKey) -> Path:
    """Signs every file in a folder, by its path from there; errors as for `sign_file`.

    Returns:
        The envelope's path: `folder.dsse.json` in the folder.
    """
    folder = file_path("a folder to sign", folder)
    subjects = [Subject(name, _digest(folder / name)) for name in files_in(folder)]
    if not subjects:
        raise OptionError(f"{folder} has no files", remedy="Check the path")
    seal(subjects, FOLDER, {"kind": "folder"}, key, folder / FOLDER_ENVELOPE)
    return folder / FOLDER_ENVELOPE


def verify_folder(folder: str | Path, keyring: Keyring, *, threshold: int = 1) -> Signed:
    """Checks that a folder holds what trusted keys signed: not a file more, less or changed.

    Raises:
        StorageError: Something cannot be read.
        EnvelopeError: The envelope is malformed.
        RevokedError, SignatureError: Too few trusted keys signed it, or it holds something else.
    """
    folder = file_path("a folder", folder)
    envelope = read_folder_envelope(folder)
    keyids, found = open_statement(envelope, folder.name, FOLDER, keyring, threshold)
    signed = {subject.name: subject.sha256 for subject in found.subjects}
    for name in sorted(signed.keys() ^ set(files_in(folder))):
        problem = "lacks" if name in signed else "holds beside what was signed"
        raise SignatureError(
            f"{folder} {problem} {name}", remedy="Copy the folder again as it was signed"
        )
    for name, sha256 in signed.items():
        digest = _digest(folder / name)
        if digest != sha256:
            raise SignatureError(
                f"{name} in {folder} is not the file that was signed",
                expected=f"SHA-256 {sha256}",
                got=digest,
                remedy="Copy the folder again as it was signed",
            )
    return Signed(tuple(keyids), MappingProxyType(found.predicate), found.subjects[0])


def files_in(folder: Path) -> list[str]:
    """Every file in a folder but the envelope, as its path from there with `/`, in order."""
    try:
        names = sorted(_walk(folder))
    except OSError as error:
        raise storage_error("cannot read", folder, error) from error
    return [name for name in names if name != FOLDER_ENVELOPE]


def _walk(folder: Path) -> Iterator[str]:
    count = 0
    pending = [(folder, "")]
    while pending:
        here, prefix = pending.pop()
        with os.scandir(here) as entries:
            for entry in entries:
                count += 1
                if count > MAX_SUBJECTS:
                    raise FileFormatError(
                        f"{folder} is too large", expected=f"{MAX_SUBJECTS} files"
                    )
                if entry.is_symlink():
                    raise UnsafePathError(
                        f"{prefix}{entry.name} in {folder} is a link",
                        expected="files and folders",
                        remedy="Put the file where the link is",
                    )
                if entry.is_dir():
                    pending.append((here / entry.name, f"{prefix}{entry.name}/"))
                else:
                    yield f"{prefix}{entry.name}"


def _digest(path: Path) -> str:
    file = MappedFile(path, may_be_link=False)
    digest = hashlib.sha256(file.data).hexdigest()
    file.close()
    return digest
