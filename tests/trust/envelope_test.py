"""Envelopes: who is believed, about which file, under which name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from securesystemslib.dsse import Envelope

from sakedge.errors import OptionError, RevokedError, SignatureError, StorageError
from sakedge.trust.envelope import envelope_path, read_envelope, sign_file, verify_content
from sakedge.trust.keyring import Keyring, Revocation, revoke
from sakedge.trust.keys import PrivateKey

PREDICATE = {"kind": "pack", "name": "sam", "version": "2", "created": "2026-11-26T04:12:00Z"}
GONE = Revocation(since="2026-11-26T00:00:00Z", reason="lost laptop")


def _check(path: Path, keyring: Keyring, threshold: int = 1) -> tuple[str, ...]:
    content, envelope = path.read_bytes(), read_envelope(path)
    return verify_content(content, path.name, envelope, keyring, threshold=threshold).keyids


def test_a_signed_file_verifies_and_tells_what_was_said_of_it(
    file: Path, key: PrivateKey, keyring: Keyring
) -> None:
    assert sign_file(file, key, predicate=PREDICATE) == envelope_path(file)
    found = verify_content(file.read_bytes(), file.name, read_envelope(file), keyring)
    assert (found.keyids, dict(found.predicate)) == ((key.keyid,), PREDICATE)
    assert found.subject.name == file.name
    assert sorted(p.name for p in file.parent.iterdir()) == [file.name, f"{file.name}.dsse.json"]


def test_another_implementation_reads_it_the_same(
    file: Path, key: PrivateKey, other: PrivateKey
) -> None:
    sign_file(file, key, predicate=PREDICATE)
    sign_file(file, other, predicate=PREDICATE)
    envelope = Envelope.from_dict(json.loads(read_envelope(file)))
    keys = [key.public.sslib(), other.public.sslib()]
    assert envelope.verify(keys, 2).keys() == {key.keyid, other.keyid}
    statement = json.loads(envelope.payload)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicate"] == PREDICATE


def test_the_order_of_keys_and_their_claimed_ids_mean_nothing(
    file: Path, key: PrivateKey, other: PrivateKey
) -> None:
    sign_file(file, key, predicate=PREDICATE)
    fields = json.loads(read_envelope(file))
    for claimed in (other.keyid, "", "x"):
        fields["signatures"][0]["keyid"] = claimed
        envelope_path(file).write_text(json.dumps(fields))
        assert _check(file, Keyring.of(other.public, key.public)) == (key.keyid,)
        with pytest.raises(SignatureError, match="no trusted key"):
            _check(file, Keyring.of(other.public))


def test_one_key_counts_once(file: Path, key: PrivateKey, other: PrivateKey) -> None:
    sign_file(file, key, predicate=PREDICATE)
    fields = json.loads(read_envelope(file))
    fields["signatures"] += [{**fields["signatures"][0], "keyid": other.keyid}]
    envelope_path(file).write_text(json.dumps(fields))
    both = Keyring.of(key.public, other.public)
    assert _check(file, both) == (key.keyid,)
    with pytest.raises(SignatureError, match="too few"):
        _check(file, both, threshold=2)
    sign_file(file, other, predicate=PREDICATE)
    assert set(_check(file, both, threshold=2)) == {key.keyid, other.keyid}


def test_a_second_signer_signs_what_the_first_one_said(
    file: Path, key: PrivateKey, other: PrivateKey
) -> None:
    sign_file(file, key, predicate=PREDICATE)
    before = json.loads(read_envelope(file))["payload"]
    sign_file(file, other, predicate={**PREDICATE, "created": "2027-01-01T00:00:00Z"})
    fields = json.loads(read_envelope(file))
    assert fields["payload"] == before
    assert len(fields["signatures"]) == 2
    with pytest.raises(OptionError, match="something else"):
        sign_file(file, other, predicate={**PREDICATE, "version": "3"})
    sign_file(file, other, predicate={**PREDICATE, "created": "2028-01-01T00:00:00Z"})
    assert json.loads(read_envelope(file)) == fields


def test_an_envelope_of_older_content_is_replaced(
    file: Path, key: PrivateKey, other: PrivateKey, keyring: Keyring
) -> None:
    sign_file(file, other, predicate=PREDICATE)
    file.write_bytes(b"new")
    sign_file(file, key, predicate=PREDICATE)
    assert _check(file, keyring) == (key.keyid,)
    assert len(json.loads(read_envelope(file))["signatures"]) == 1


def test_a_revoked_key_counts_nothing(file: Path, key: PrivateKey, other: PrivateKey) -> None:
    sign_file(file, key, predicate=PREDICATE)
    keys = Keyring.of(key.public, other.public).keys
    revoked = Keyring(keys, {key.keyid: GONE})
    with pytest.raises(RevokedError, match="lost laptop"):
        _check(file, revoked)
    sign_file(file, other, predicate=PREDICATE)
    assert _check(file, revoked) == (other.keyid,)
    with pytest.raises(RevokedError):
        _check(file, revoked, threshold=2)


def test_a_revoked_key_is_named_also_where_its_file_is_gone(
    file: Path, key: PrivateKey, other: PrivateKey
) -> None:
    sign_file(file, key, predicate=PREDICATE)
    with pytest.raises(RevokedError):
        _check(file, Keyring(Keyring.of(other.public).keys, {key.keyid: GONE}))


def test_no_envelope_is_no_signature(file: Path, keyring: Keyring) -> None:
    with pytest.raises(SignatureError, match="is not signed"):
        read_envelope(file)
    envelope_path(file).mkdir()
    with pytest.raises(StorageError):
        read_envelope(file)


@pytest.mark.parametrize(
    "predicate",
    [
        {"x": float("nan")},
        {"x": object()},
        {1: 2, "1": 2},
        {"x": "\ud800"},
        {"x": b"bytes"},
    ],
    ids=str,
)
def test_a_predicate_that_is_no_json_is_refused(
    predicate: dict[str, object], file: Path, key: PrivateKey
) -> None:
    with pytest.raises(OptionError):
        sign_file(file, key, predicate=predicate)
    assert list(file.parent.iterdir()) == [file]


def test_a_keyring_is_read_from_its_folder(
    tmp_path: Path, key: PrivateKey, other: PrivateKey
) -> None:
    assert Keyring.read(tmp_path / "none") == Keyring()
    key.public.write(tmp_path / "line.pub")
    other.public.write(tmp_path / "office.pub")
    revoke(tmp_path, key.keyid, GONE)
    revoke(tmp_path, key.keyid, Revocation(since="later"))
    found = Keyring.read(tmp_path)
    assert found.names == {key.keyid: "line", other.keyid: "office"}
    assert found.revoked == {key.keyid: GONE}
