"""A signed folder holds what was signed: not a file more, less or changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sakedge.errors import (
    EnvelopeError,
    OptionError,
    RevokedError,
    SakedgeError,
    SignatureError,
    StorageError,
    UnsafePathError,
)
from sakedge.trust.envelope import sign_file
from sakedge.trust.folders import sign_folder, verify_folder
from sakedge.trust.keyring import Keyring, Revocation
from sakedge.trust.keys import PrivateKey


@pytest.fixture
def folder(tmp_path: Path, key: PrivateKey) -> Path:
    folder = tmp_path / "golden"
    (folder / "labels").mkdir(parents=True)
    (folder / "a.png").write_bytes(b"a")
    (folder / "labels" / "a.png").write_bytes(b"label")
    sign_folder(folder, key)
    return folder


def test_it_verifies_wherever_it_lies_and_under_any_name(folder: Path, keyring: Keyring) -> None:
    moved = folder.rename(folder.with_name("elsewhere"))
    found = verify_folder(moved, keyring)
    assert found.subject.name == "a.png"


def test_a_second_key_signs_the_same(folder: Path, other: PrivateKey, keyring: Keyring) -> None:
    sign_folder(folder, other)
    verify_folder(folder, keyring)
    verify_folder(folder, Keyring.of(other.public), threshold=1)


def _more(folder: Path) -> None:
    (folder / "labels" / "b.png").write_bytes(b"b")


def _less(folder: Path) -> None:
    (folder / "a.png").unlink()


def _changed(folder: Path) -> None:
    (folder / "a.png").write_bytes(b"A")


def _renamed(folder: Path) -> None:
    (folder / "a.png").rename(folder / "b.png")


def _moved(folder: Path) -> None:
    (folder / "labels" / "a.png").replace(folder / "a.png")


def _link(folder: Path) -> None:
    (folder / "a.png").rename(folder.parent / "a.png")
    (folder / "a.png").symlink_to(folder.parent / "a.png")


def _folder_link(folder: Path) -> None:
    (folder / "labels").rename(folder.parent / "labels")
    (folder / "labels").symlink_to(folder.parent / "labels")


def _pipe(folder: Path) -> None:
    (folder / "a.png").unlink()
    os.mkfifo(folder / "a.png")


def _unsigned(folder: Path) -> None:
    (folder / "folder.dsse.json").unlink()


def _a_files_envelope(folder: Path) -> None:
    file = folder.parent / "folder"
    file.write_bytes(b"a")
    KEY = PrivateKey.read(folder.parent / "key")
    sign_file(file, KEY, predicate={}).replace(folder / "folder.dsse.json")


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        *((each, SignatureError) for each in (_more, _less, _changed, _renamed, _moved)),
        *((_link, UnsafePathError), (_folder_link, UnsafePathError), (_pipe, StorageError)),
        *((_unsigned, SignatureError), (_a_files_envelope, EnvelopeError)),
    ],
)
def test_anything_else_is_refused(
    spoil: Callable[[Path], None],
    error: type[SakedgeError],
    folder: Path,
    key: PrivateKey,
    keyring: Keyring,
) -> None:
    key.write(folder.parent / "key")
    verify_folder(folder, keyring)
    spoil(folder)
    with pytest.raises(error):
        verify_folder(folder, keyring)


def test_an_unknown_or_revoked_key_does_not_count(
    folder: Path, key: PrivateKey, other: PrivateKey
) -> None:
    with pytest.raises(SignatureError):
        verify_folder(folder, Keyring.of(other.public))
    with pytest.raises(RevokedError):
        verify_folder(folder, Keyring({key.keyid: key.public}, {key.keyid: Revocation(since="x")}))


def test_an_empty_or_missing_folder_is_not_signed(tmp_path: Path, key: PrivateKey) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(OptionError):
        sign_folder(tmp_path / "empty", key)
    with pytest.raises(StorageError):
        sign_folder(tmp_path / "none", key)
