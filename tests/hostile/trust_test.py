"""Hostile envelopes, keyrings and encrypted files: each is refused by its own kind of error."""

from __future__ import annotations

import base64
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sakedge.errors import (
    EnvelopeError,
    FileFormatError,
    KeyFileError,
    SakedgeError,
    SignatureError,
    StorageError,
    TrustError,
)
from sakedge.site import Site
from sakedge.trust.dsse import MAX_BYTES, PAYLOAD_TYPE, Sealed
from sakedge.trust.envelope import envelope_path, sign_file
from sakedge.trust.keyring import MAX_KEYS, Keyring
from sakedge.trust.keys import PrivateKey
from sakedge.trust.statement import Subject, make_statement

KEY = PrivateKey.generate()
NAME = "sam.safetensors"
CONTENT = b"weights" * 100
Fields = dict[str, Any]


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    """A signed file, and a site that trusts its signer."""
    (tmp_path / "site" / "keys").mkdir(parents=True)
    KEY.public.write(tmp_path / "site" / "keys" / "line.pub")
    policy = {"format_version": 1, "require_signature": "dsse", "audit": {"sync": "never"}}
    (tmp_path / "site" / "policy.json").write_text(json.dumps(policy))
    path = tmp_path / NAME
    path.write_bytes(CONTENT)
    sign_file(path, KEY, predicate={"kind": "pack"})
    return path


def _edit(path: Path, edit: Callable[[Fields], object]) -> None:
    fields = json.loads(envelope_path(path).read_bytes())
    edit(fields)
    envelope_path(path).write_text(json.dumps(fields))


def _field(**values: object) -> Callable[[Path], None]:
    return lambda path: _edit(path, lambda fields: fields.update(values))


def _raw(content: bytes) -> Callable[[Path], None]:
    return lambda path: envelope_path(path).write_bytes(content) and None


def _signature(**values: object) -> Callable[[Path], None]:
    return lambda path: _edit(path, lambda fields: fields["signatures"][0].update(values))


def _truncated(path: Path) -> None:
    content = envelope_path(path).read_bytes()
    envelope_path(path).write_bytes(content[: len(content) // 2])


def _repeated(path: Path) -> None:
    _edit(path, lambda fields: fields.update(signatures=fields["signatures"] * 9))


def _huge(path: Path) -> None:
    with envelope_path(path).open("r+b") as file:
        file.truncate(100_000_000)


def _large(path: Path) -> None:
    _edit(path, lambda fields: fields.update(extra="x" * MAX_BYTES))


def _folder(path: Path) -> None:
    envelope_path(path).unlink()
    envelope_path(path).mkdir()


def _gone(path: Path) -> None:
    envelope_path(path).unlink()


def _flipped_payload(path: Path) -> None:
    def flip(fields: Fields) -> None:
        payload = bytearray(base64.b64decode(fields["payload"]))
        payload[20] ^= 1
        fields["payload"] = base64.b64encode(payload).decode()

    _edit(path, flip)


def _flipped_signature(path: Path) -> None:
    def flip(fields: Fields) -> None:
        signature = bytearray(base64.b64decode(fields["signatures"][0]["sig"]))
        signature[5] ^= 1
        fields["signatures"][0]["sig"] = base64.b64encode(signature).decode()

    _edit(path, flip)


def _unsigned(path: Path) -> None:
    """Of another payload, with the signature that was there."""
    other = make_statement([Subject(NAME, "0" * 64)], {})
    _edit(path, lambda fields: fields.update(payload=base64.b64encode(other).decode()))


def _resigned(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> Callable[[Path], None]:
    """Signed by the trusted key, whatever it is."""

    def write(path: Path) -> None:
        sealed = Sealed(payload, {})
        fields = Sealed(payload, {KEY.sign(sealed.signed): KEY.keyid}).to_json()
        envelope_path(path).write_text(json.dumps({**fields, "payloadType": payload_type}))

    return write


def _statement(**values: object) -> Callable[[Path], None]:
    import hashlib

    fields = json.loads(make_statement([Subject(NAME, hashlib.sha256(CONTENT).hexdigest())], {}))
    return _resigned(json.dumps({**fields, **values}).encode())


def _changed(path: Path) -> None:
    path.write_bytes(CONTENT[:-1] + b"S")


def _cut(path: Path) -> None:
    path.write_bytes(CONTENT[:-1])


def _subject(name: str = NAME, **digest: str) -> dict[str, object]:
    return {"name": name, "digest": digest}


DEEP = b"[" * 100_000 + b"]" * 100_000
BROKEN: dict[str, tuple[Callable[[Path], None], type[SakedgeError]]] = {
    "missing": (_gone, SignatureError),
    "a folder": (_folder, StorageError),
    "empty": (_raw(b""), EnvelopeError),
    "no json": (_raw(b"-----BEGIN"), EnvelopeError),
    "truncated": (_truncated, EnvelopeError),
    "100 MB": (_huge, EnvelopeError),
    "too large": (_large, EnvelopeError),
    "a list": (_raw(b"[]"), EnvelopeError),
    "deep": (_raw(DEEP), EnvelopeError),
    "deep within": (_raw(b'{"payload": ' + DEEP + b"}"), EnvelopeError),
    "a key twice": (_raw(b'{"payload": "", "payload": ""}'), EnvelopeError),
    "a long number": (_raw(b'{"payload": ' + b"9" * 10_000 + b"}"), EnvelopeError),
    "payload no base64": (_field(payload="a$b="), EnvelopeError),
    "payload of a number": (_field(payload=7), EnvelopeError),
    "payload flipped": (_flipped_payload, SignatureError),
    "payload exchanged": (_unsigned, SignatureError),
    "another payload type": (_field(payloadType="text/plain"), EnvelopeError),
    "no signatures": (_field(signatures=[]), EnvelopeError),
    "nine signatures": (_repeated, EnvelopeError),
    "signature no base64": (_signature(sig="?" * 88), EnvelopeError),
    "signature too short": (_signature(sig="AAAA"), EnvelopeError),
    "signature of zeros": (_signature(sig="A" * 86 + "=="), SignatureError),
    "signature flipped": (_flipped_signature, SignatureError),
    "a long key id": (_signature(keyid="a" * 1000), EnvelopeError),
    "signed: no json": (_resigned(b"{"), EnvelopeError),
    "signed: deep": (_resigned(DEEP), EnvelopeError),
    "signed: nan": (_statement(predicate={"x": float("nan")}), EnvelopeError),
    "signed: another type": (_statement(_type="https://in-toto.io/Statement/v0.1"), EnvelopeError),
    "signed: another predicate": (_statement(predicateType="x:y"), EnvelopeError),
    "signed: a folder's": (_statement(predicateType="sakedge:folder/v1"), EnvelopeError),
    "signed: no subject": (_statement(subject=[]), EnvelopeError),
    "signed: two subjects": (_statement(subject=[_subject(sha256="0" * 64)] * 2), EnvelopeError),
    "signed: many": (_statement(subject=[_subject(sha256="0" * 64)] * 10_001), EnvelopeError),
    "signed: another digest": (_statement(subject=[_subject(md5="0" * 32)]), EnvelopeError),
    "signed: short digest": (_statement(subject=[_subject(sha256="0")]), EnvelopeError),
    "signed: another file": (_statement(subject=[_subject(sha256="0" * 64)]), SignatureError),
    "signed: other payload type": (_resigned(b"{}", "text/plain"), EnvelopeError),
    "the file changed": (_changed, SignatureError),
    "the file cut": (_cut, SignatureError),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_with_an_envelope_is_told_and_nothing_admitted(
    name: str, signed: Path
) -> None:
    spoil, error = BROKEN[name]
    site = Site.open(signed.parent / "site")
    assert site.admit(signed, "pack").signers == (KEY.keyid,)
    spoil(signed)
    tracemalloc.start()
    try:
        with pytest.raises(SakedgeError) as caught:
            site.admit(signed, "pack")
        assert tracemalloc.get_traced_memory()[1] < 40_000_000
    finally:
        tracemalloc.stop()
    assert type(caught.value) is error
    assert isinstance(caught.value, (TrustError, FileFormatError, StorageError))


def _many(folder: Path) -> None:
    for number in range(MAX_KEYS):
        KEY.public.write(folder / f"{number}.pub")


REVOKED = "revoked.json"
KEYRINGS: dict[str, Callable[[Path], object]] = {
    "a key that is none": lambda folder: (folder / "a.pub").write_text("ssh-ed25519 AAAA"),
    "a large key": lambda folder: (folder / "a.pub").write_bytes(b"-" * 100_000),
    "too many keys": _many,
    "empty list": lambda folder: (folder / REVOKED).write_bytes(b""),
    "list of another format": lambda folder: (folder / REVOKED).write_text('{"revoked": []}'),
    "no key id": lambda folder: (folder / REVOKED).write_text('{"revoked": {"x": {"since": ""}}}'),
    "deep list": lambda folder: (folder / REVOKED).write_bytes(DEEP),
    "large list": lambda folder: (folder / REVOKED).write_bytes(b" " * 2_000_000),
    "unknown field": lambda folder: (folder / REVOKED).write_text('{"revoked": {}, "x": 1}'),
    "newer": lambda folder: (folder / REVOKED).write_text('{"format_version": 2, "revoked": {}}'),
}


@pytest.mark.parametrize("name", KEYRINGS)
def test_a_damaged_keyring_trusts_nobody(name: str, signed: Path) -> None:
    site = Site.open(signed.parent / "site")
    KEYRINGS[name](signed.parent / "site" / "keys")
    with pytest.raises(KeyFileError):
        site.admit(signed, "pack")
    with pytest.raises(KeyFileError):
        Keyring.read(signed.parent / "site" / "keys")
