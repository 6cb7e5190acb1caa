"""Encrypted files: they open with their key, whole, and with nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sakedge.errors import EncryptionError, KeyFileError, OptionError, SakedgeError, StorageError
from sakedge.trust import gcm
from sakedge.trust.encryption import decrypt, encrypt_age, encrypt_gcm, is_encrypted
from sakedge.trust.secret_keys import (
    GCM,
    KeySource,
    key_file,
    key_sources,
    key_variable,
    new_age,
    new_gcm,
    read_secrets,
)

IDENTITY, RECIPIENT = new_age()
TEXT = new_gcm()
KEY = bytes.fromhex(TEXT.removeprefix(f"{GCM} "))
CONTENT = bytes(range(256)) * 10_000  # two and a half chunks
PLACED = gcm.HEADER + gcm.CHUNK + gcm.TAG


def _source(*lines: str) -> KeySource:
    return lambda: "\n".join(lines).encode()


BOTH = _source("# keys of line 3", IDENTITY, "", TEXT)


@pytest.mark.parametrize("length", [0, 1, gcm.CHUNK - 1, gcm.CHUNK, gcm.CHUNK + 1, len(CONTENT)])
def test_what_was_encrypted_comes_back(length: int) -> None:
    content = CONTENT[:length]
    for sealed in (encrypt_gcm(content, KEY), encrypt_age(content, [RECIPIENT])):
        assert is_encrypted(sealed)
        assert content == decrypt(memoryview(sealed), "x", BOTH)
        assert len(content) < 16 or content[:16] not in sealed


def test_the_same_is_never_encrypted_to_the_same() -> None:
    assert encrypt_gcm(b"x", KEY) != encrypt_gcm(b"x", KEY)


def test_every_recipient_can_read_it() -> None:
    identity, recipient = new_age()
    sealed = encrypt_age(b"x", [RECIPIENT, recipient])
    assert decrypt(sealed, "x", _source(identity)) == decrypt(sealed, "x", BOTH) == b"x"


def test_any_changed_byte_of_a_small_file_is_found() -> None:
    for sealed in (encrypt_gcm(b"some weights", KEY), encrypt_age(b"some weights", [RECIPIENT])):
        for at in range(len(sealed)):
            spoilt = bytearray(sealed)
            spoilt[at] ^= 1
            with pytest.raises(EncryptionError):
                decrypt(spoilt, "x", BOTH)


def _cut(sealed: bytes) -> bytes:
    return sealed[:-1]


def _cut_at_a_chunk(sealed: bytes) -> bytes:
    return sealed[:PLACED]


def _cut_with_its_length(sealed: bytes) -> bytes:
    at = gcm.HEADER - 8
    return sealed[:at] + gcm.CHUNK.to_bytes(8, "little") + sealed[gcm.HEADER : PLACED]


def _swapped(sealed: bytes) -> bytes:
    first, second = sealed[gcm.HEADER : PLACED], sealed[PLACED : 2 * PLACED - gcm.HEADER]
    return sealed[: gcm.HEADER] + second + first + sealed[2 * PLACED - gcm.HEADER :]


def _repeated(sealed: bytes) -> bytes:
    first = sealed[gcm.HEADER : PLACED]
    return sealed[:PLACED] + first + sealed[2 * PLACED - gcm.HEADER :]


def _of_another_file(sealed: bytes) -> bytes:
    return sealed[: gcm.HEADER] + encrypt_gcm(CONTENT, KEY)[gcm.HEADER :]


def _lengthened(sealed: bytes) -> bytes:
    return sealed + b"x"


def _endless(sealed: bytes) -> bytes:
    return sealed[: gcm.HEADER - 8] + b"\xff" * 8 + sealed[gcm.HEADER :]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        *((_cut, "cut short"), (_cut_at_a_chunk, "cut short"), (_endless, "cut short")),
        *((_cut_with_its_length, "chunk 1 of 1"), (_swapped, "chunk 1 of 3")),
        *((_repeated, "chunk 2 of 3"), (_of_another_file, "chunk 1"), (_lengthened, "surplus")),
    ],
)
def test_chunks_are_in_their_place_and_all_there(
    spoil: Callable[[bytes], bytes], message: str
) -> None:
    with pytest.raises(EncryptionError, match=message):
        decrypt(spoil(encrypt_gcm(CONTENT, KEY)), "x", BOTH)


def test_each_way_to_lack_the_key_says_which(tmp_path: Path) -> None:
    sealed, aged = encrypt_gcm(b"x", KEY), encrypt_age(b"x", [RECIPIENT])
    foreign = _source(new_gcm(), new_age()[0])
    for content, keys, message in (
        (sealed, None, "no key for it here"),
        (aged, None, "no key for it here"),
        (sealed, foreign, "another key"),
        (aged, foreign, "another key"),
        (sealed, _source(IDENTITY), "no AES key"),
        (aged, _source(TEXT), "no age key"),
        (b"plain", BOTH, "not encrypted"),
    ):
        with pytest.raises(EncryptionError, match=message):
            decrypt(content, "x", keys)
    with pytest.raises(StorageError):
        decrypt(sealed, "x", key_file(tmp_path / "none"))


def test_a_key_comes_from_a_file_a_variable_or_a_function(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key"
    path.write_text(f"# made today\n{TEXT}\n")
    path.chmod(0o600)
    sealed = encrypt_gcm(b"x", KEY)
    assert decrypt(sealed, "x", key_file(path)) == b"x"
    with pytest.raises(EncryptionError, match="LINE_KEY"):
        decrypt(sealed, "x", key_variable("LINE_KEY"))
    monkeypatch.setenv("LINE_KEY", TEXT)
    assert decrypt(sealed, "x", key_variable("LINE_KEY")) == b"x"
    both = key_sources(_source(IDENTITY), key_variable("LINE_KEY"))
    assert decrypt(sealed, "x", both) == b"x"


def _raising() -> bytes:
    raise RuntimeError("no TPM")


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (_raising, EncryptionError),
        (lambda: None, KeyFileError),
        (lambda: b"", KeyFileError),
        (lambda: b"# nothing", KeyFileError),
        (lambda: b"SAKEDGE-GCM-KEY-1 12", KeyFileError),
        (lambda: b"\xff\xfe", KeyFileError),
        (lambda: b"#" * 100_000, KeyFileError),
        (lambda: (TEXT + "\n").encode() * 100, KeyFileError),
    ],
)
def test_what_is_no_key_is_refused_and_not_shown(
    source: KeySource, error: type[SakedgeError]
) -> None:
    with pytest.raises(error):
        read_secrets(source)
    with pytest.raises(KeyFileError) as caught:
        last = "P" if IDENTITY.endswith("Q") else "Q"
        decrypt(encrypt_age(b"x", [RECIPIENT]), "x", _source(IDENTITY[:-1] + last))
    assert IDENTITY[20:30] not in str(caught.value)
    assert TEXT[-10:] not in repr(read_secrets(BOTH))


def test_hostile_arguments_are_refused() -> None:
    for recipients in ([], "age1", ["age1x"], [7], ["ssh-ed25519 AAAA"]):
        with pytest.raises(OptionError):
            encrypt_age(b"x", recipients)  # type: ignore[arg-type]
    for key in (b"", b"x" * 16, "x" * 32):
        with pytest.raises(OptionError):
            encrypt_gcm(b"x", key)  # type: ignore[arg-type]
