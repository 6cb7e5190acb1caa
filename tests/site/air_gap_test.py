"""Signing, verifying and decrypting ask for no address, and write only what was asked for."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.sites import Place
from tests.support.trace import traced

from sakedge.trust.encryption import encrypt_age
from sakedge.trust.envelope import envelope_path, sign_file
from sakedge.trust.secret_keys import new_age

ADMIT = """
from sakedge.site import Site
site = Site.open({site!r})
assert bytes(site.admit({file!r}, "pack").content) == b"secret" * 100
site.record("swap", subject="adapters.sam")
"""


def test_admitting_an_encrypted_file_writes_the_log_alone(place: Place, tmp_path: Path) -> None:
    identity, recipient = new_age()
    (place.folder / "line.age").write_text(identity)
    place.open(require_signature="dsse", decryption={"age_identity": "line.age"}, audit={})
    file = tmp_path / "sam.sealed"
    file.write_bytes(encrypt_age(b"secret" * 100, [recipient]))
    sign_file(file, place.key, predicate={})
    (tmp_path / "trace").mkdir()
    code = ADMIT.format(site=str(place.folder), file=str(file))
    trace = traced([sys.executable, "-c", code], tmp_path / "trace", {"HOME": str(tmp_path)})
    assert trace.code == 0, trace.output
    assert trace.network == []
    assert trace.written_outside(place.folder / "audit") == []
    assert len(place.log()) == 1


def test_signing_writes_the_envelope_alone(place: Place, file: Path, tmp_path: Path) -> None:
    place.key.write(tmp_path / "line.key")
    (tmp_path / "trace").mkdir()
    (tmp_path / "packs").mkdir()
    file = file.rename(tmp_path / "packs" / "sam.bin")
    verb = [sys.executable, "-m", "sakedge", "keys", "sign", str(file)]
    command = [*verb, "--key", str(tmp_path / "line.key")]
    trace = traced(command, tmp_path / "trace", {"HOME": str(tmp_path)})
    assert trace.code == 0, trace.output
    assert trace.network == []
    assert trace.written_outside(file.parent) == []
    assert set(file.parent.iterdir()) == {file, envelope_path(file)}
