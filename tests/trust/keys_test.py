"""Keys: what is written is read again, and nothing else is taken for a key."""

from __future__ import annotations

import hashlib
import logging
import pickle
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from sakedge.errors import KeyFileError, OptionError, SignatureError, StorageError
from sakedge.trust.keys import MAX_FILE, PrivateKey, PublicKey


def test_a_key_comes_back_from_its_files(tmp_path: Path) -> None:
    key = PrivateKey.generate()
    key.write(tmp_path / "line")
    key.public.write(tmp_path / "line.pub")
    again, public = PrivateKey.read(tmp_path / "line"), PublicKey.read(tmp_path / "line.pub")
    assert public == key.public == PublicKey.from_raw(key.public.raw)
    assert again.keyid == public.keyid == hashlib.sha256(public.raw).hexdigest()
    public.verify(b"data", again.sign(b"data"))


def test_another_text_key_or_length_does_not_verify() -> None:
    key, other = PrivateKey.generate(), PrivateKey.generate()
    for data, signature in (
        (b"datA", key.sign(b"data")),
        (b"data", other.sign(b"data")),
        (b"data", key.sign(b"data")[:-1]),
        (b"data", b""),
    ):
        with pytest.raises(SignatureError):
            key.public.verify(data, signature)


def test_a_private_key_is_its_owners_alone_and_never_overwritten(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "line"
    PrivateKey.generate().write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    with pytest.raises(OptionError, match="lost"):
        PrivateKey.generate().write(path)
    assert path.read_bytes() == before
    with caplog.at_level(logging.WARNING, "sakedge"):
        PrivateKey.read(path)
        assert caplog.records == []
        path.chmod(0o640)
        PrivateKey.read(path)
    assert "others may read" in caplog.text


def test_a_private_key_shows_and_pickles_nothing() -> None:
    key = PrivateKey.generate()
    assert repr(key) == f"PrivateKey({key.keyid})"
    with pytest.raises(TypeError):
        pickle.dumps(key)


def _foreign() -> dict[str, bytes]:
    elliptic, own = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()
    pem, pkcs8 = form.Encoding.PEM, form.PrivateFormat.PKCS8
    info = form.PublicFormat.SubjectPublicKeyInfo
    return {
        "elliptic": elliptic.private_bytes(pem, pkcs8, form.NoEncryption()),
        "elliptic public": elliptic.public_key().public_bytes(pem, info),
        "passphrase": own.private_bytes(pem, pkcs8, form.BestAvailableEncryption(b"x")),
        "der": own.private_bytes(form.Encoding.DER, pkcs8, form.NoEncryption()),
        "cut": own.private_bytes(pem, pkcs8, form.NoEncryption())[:70],
        "cut public": own.public_key().public_bytes(pem, info)[:70],
        "empty": b"",
        "text": b"no key",
        "binary": bytes(range(256)),
        "large": b"-" * (MAX_FILE + 1),
    }


@pytest.mark.parametrize("name", _foreign())
def test_what_is_no_ed25519_key_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(_foreign()[name])
    for kind in (PrivateKey, PublicKey):
        with pytest.raises(KeyFileError):
            kind.read(path)


def test_the_halves_are_not_taken_for_each_other(tmp_path: Path) -> None:
    key = PrivateKey.generate()
    key.write(tmp_path / "line")
    key.public.write(tmp_path / "line.pub")
    with pytest.raises(KeyFileError):
        PrivateKey.read(tmp_path / "line.pub")
    with pytest.raises(KeyFileError):
        PublicKey.read(tmp_path / "line")


def test_a_missing_file_or_a_folder_is_a_storage_error(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(StorageError):
            PublicKey.read(path)
    with pytest.raises(OptionError):
        PublicKey.read(7)  # type: ignore[arg-type]
    with pytest.raises(OptionError):
        PublicKey.from_raw(b"short")


def test_securesystemslib_takes_them_under_the_same_id() -> None:
    key = PrivateKey.generate()
    signature = key.signer().sign(b"data")
    assert signature.keyid == key.keyid
    key.public.sslib().verify_signature(signature, b"data")
