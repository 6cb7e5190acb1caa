"""A site admits what its policy vouches for, lets act who may, and records both."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from tests.support.sites import Place

from sakedge.audit import whoami
from sakedge.errors import (
    EncryptionError,
    FileFormatError,
    OptionError,
    PermissionDeniedError,
    PolicyError,
    RevokedError,
    SignatureError,
    StorageError,
)
from sakedge.site import Site, admission
from sakedge.trust.encryption import encrypt_age, encrypt_gcm
from sakedge.trust.envelope import envelope_path, sign_file
from sakedge.trust.folders import sign_folder
from sakedge.trust.keyring import Revocation, revoke
from sakedge.trust.keys import PrivateKey
from sakedge.trust.secret_keys import GCM, new_age, new_gcm

LOG = {"audit": {"sync": "never"}}


def test_no_site_requires_and_records_nothing(file: Path, tmp_path: Path) -> None:
    site = Site(None)
    site.allow("administer")
    site.check_license(None, "sam")
    site.record("swap", subject="sam")
    for kind in admission.KINDS:
        found = site.admit(file, kind)
        assert (found.content, found.signers, found.encrypted) == (file.read_bytes(), (), False)
    assert list(tmp_path.iterdir()) == [file]


def test_a_signed_file_is_admitted_and_no_other(place: Place, file: Path) -> None:
    site = place.open(require_signature="dsse", **LOG)
    with pytest.raises(SignatureError, match="is not signed"):
        site.admit(file, "pack")
    sign_file(file, place.key, predicate={})
    for kind in admission.KINDS:
        found = site.admit(file, kind)
        assert found.signers == (place.key.keyid,)
        assert bytes(found.content) == file.read_bytes()
    revoke(place.folder / "keys", place.key.keyid, Revocation(since="now"))
    with pytest.raises(RevokedError):
        site.admit(file, "pack")
    refused = place.log()
    assert [(e.action, e.subject, e.result) for e in refused] == [
        ("refuse", file.name, "refused")
    ] * 2
    assert [e.detail["error"] for e in refused] == ["SignatureError", "RevokedError"]


def test_what_was_checked_is_what_is_given_whatever_comes_after(place: Place, file: Path) -> None:
    site = place.open(require_signature="dsse")
    sign_file(file, place.key, predicate={})
    for kind in admission.KINDS:
        before = file.read_bytes()
        found = site.admit(file, kind)
        new = file.with_name("new")
        new.write_bytes(b"hostile" * 1000)
        new.replace(file)
        assert bytes(found.content) == before
        file.write_bytes(before)


def test_two_keys_are_asked_for_where_the_threshold_says_so(place: Place, file: Path) -> None:
    second = PrivateKey.generate()
    second.public.write(place.folder / "keys" / "office.pub")
    site = place.open(require_signature="dsse", threshold=2)
    sign_file(file, place.key, predicate={})
    with pytest.raises(SignatureError, match="too few"):
        site.admit(file, "pack")
    sign_file(file, second, predicate={})
    assert set(site.admit(file, "pack").signers) == {place.key.keyid, second.keyid}


def test_an_encrypted_file_is_signed_as_it_lies_and_opened_in_memory(
    place: Place, file: Path
) -> None:
    content, (identity, recipient), text = file.read_bytes(), new_age(), new_gcm()
    (place.folder / "line.age").write_text(identity)
    (place.folder / "line.gcm").write_text(text)
    keys = {"age_identity": "line.age", "gcm_key": "line.gcm"}
    site = place.open(require_signature="dsse", decryption=keys, **LOG)
    sealed = (
        encrypt_age(content, [recipient]),
        encrypt_gcm(content, bytes.fromhex(text.removeprefix(f"{GCM} "))),
    )
    for each in sealed:
        file.write_bytes(each)
        sign_file(file, place.key, predicate={})
        found = site.admit(file, "pack")
        assert (bytes(found.content), bytes(found.stored)) == (content, each)
        assert found.encrypted
    for other in (place.open(**LOG), place.open(decryption={"environment": "NO_SUCH_KEY"}, **LOG)):
        with pytest.raises(EncryptionError):
            other.admit(file, "pack")
    given = Site.open(place.folder, keys=lambda: text.encode())
    assert bytes(given.admit(file, "student").content) == content
    everything = [path for path in file.parent.rglob("*") if path.is_file()]
    assert not any(content[:64] in path.read_bytes() for path in everything)


def test_a_signature_is_checked_before_anything_is_decrypted(place: Place, file: Path) -> None:
    asked: list[int] = []

    def keys() -> bytes:
        asked.append(1)
        return b""

    place.open(require_signature="dsse")
    file.write_bytes(encrypt_age(b"x", [new_age()[1]]))
    with pytest.raises(SignatureError):
        Site.open(place.folder, keys=keys).admit(file, "pack")
    assert not asked


def test_golden_images_are_signed_as_a_folder(place: Place, tmp_path: Path) -> None:
    golden = tmp_path / "golden"
    golden.mkdir()
    (golden / "a.png").write_bytes(b"a")
    site = place.open(require_signature="dsse", **LOG)
    with pytest.raises(SignatureError):
        site.admit_folder(golden)
    sign_folder(golden, place.key)
    site.admit_folder(golden)
    (golden / "b.png").write_bytes(b"b")
    with pytest.raises(SignatureError, match=r"b\.png"):
        site.admit_folder(golden)
    assert [e.subject for e in place.log()] == ["golden", "golden"]


@pytest.mark.parametrize(
    ("licenses", "stated", "may"),
    [
        ({}, None, True),
        ({"allow": ["MIT", " Apache-2.0 "]}, "Apache-2.0", True),
        ({"allow": ["MIT"]}, "\tMIT\n", True),
        ({"allow": ["MIT"]}, "mit", False),
        ({"allow": ["MIT"]}, "MIT AND GPL-3.0-only", False),
        ({"allow": ["MIT"]}, None, False),
        ({"allow": ["MIT", ""]}, " ", False),
        ({"allow": []}, "MIT", False),
        ({"deny": ["CC-BY-NC-4.0"]}, "CC-BY-NC-4.0 ", False),
        ({"deny": ["CC-BY-NC-4.0", ""]}, None, True),
        ({"deny": ["MIT"], "allow": ["MIT"]}, "MIT", False),
    ],
)
def test_licences_are_compared_as_written(
    licenses: dict[str, list[str]], stated: str | None, may: bool, place: Place
) -> None:
    site = place.open(licenses=licenses, **LOG)
    if may:
        site.check_license(stated, "sam")
        return
    with pytest.raises(PolicyError, match="licence of sam"):
        site.check_license(stated, "sam")
    assert [(e.action, e.subject) for e in place.log()] == [("refuse", "sam")]


def test_roles_let_pass_or_refuse_and_the_refusal_is_recorded(place: Place) -> None:
    me = whoami().partition(" (")[0]
    roles = {"operator": ["view", "infer"], "engineer": ["swap"]}
    site = place.open(roles=roles, users={me: "operator", "mori": "engineer"}, **LOG)
    site.allow("infer")
    site.allow("swap", "mori")
    with pytest.raises(PermissionDeniedError, match="engineer"):
        site.allow("swap")
    with pytest.raises(PermissionDeniedError):
        site.allow("view", f"{me} (sudo: mori)")
    with pytest.raises(OptionError):
        site.allow("fly")  # type: ignore[arg-type]
    with pytest.raises(OptionError):
        site.allow("view", 7)  # type: ignore[arg-type]
    assert [(e.who, e.subject) for e in place.log()] == [
        (whoami(), "swap"),
        (f"{me} (sudo: mori)", "view"),
    ]


def test_what_must_be_recorded_and_cannot_is_an_error(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    (place.folder / "audit").write_text("no folder")
    with pytest.raises(StorageError, match="must be recorded"):
        place.open(audit={}).record("swap", subject="sam")
    with caplog.at_level(logging.WARNING, "sakedge"):
        place.open(audit={"required": False}).record("swap", subject="sam")
    assert "could not be recorded" in caplog.text


def test_the_first_entry_of_a_process_names_the_policy(place: Place) -> None:
    site = place.open(**LOG)
    assert not (place.folder / "audit").exists()
    site.record("swap", subject="sam")
    site.record("swap", subject="sam")
    from sakedge.audit import entries

    found = [e.action for e in entries(place.folder / "audit")]
    assert found == ["begin", "policy.load", "swap", "swap"]


def test_checkpoints_are_signed_as_often_as_the_policy_says(place: Place, tmp_path: Path) -> None:
    from sakedge.audit import verify

    place.key.write(place.folder / "audit.key")
    settings = {**LOG["audit"], "checkpoint_key": "audit.key", "checkpoint_every": 4}
    site = place.open(audit={**settings, "checkpoint_folder": str(tmp_path / "out")})
    for _ in range(6):
        site.record("swap", subject="sam")
    notes = [path.read_text() for path in sorted((tmp_path / "out").iterdir())]
    assert len(notes) == 2
    assert verify(place.folder / "audit", notes, [place.key.public])


def test_a_file_is_refused_by_its_size_before_it_is_read(
    place: Place, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = place.open()
    sparse = file.with_name("huge")
    with sparse.open("wb") as out:
        out.truncate(admission.MAX_BYTES + 1)
    for kind in ("pack", "delta"):
        with pytest.raises(FileFormatError, match="too large"):
            site.admit(sparse, kind)
    with pytest.raises(OptionError):
        site.admit(file, "image")  # type: ignore[arg-type]


def test_a_folder_that_others_may_write_to_is_warned_about(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "sakedge"):
        place.open()
        assert caplog.records == []
        (place.folder / "keys").chmod(0o777)
        place.open()
    assert "others may write to" in caplog.text


def test_the_envelope_of_another_file_or_name_is_refused(place: Place, file: Path) -> None:
    site = place.open(require_signature="dsse")
    sign_file(file, place.key, predicate={})
    renamed = file.with_name("other.safetensors")
    renamed.write_bytes(file.read_bytes())
    envelope_path(renamed).write_bytes(envelope_path(file).read_bytes())
    with pytest.raises(SignatureError, match="another name"):
        site.admit(renamed, "pack")
    renamed.write_bytes(b"another")
    with pytest.raises(SignatureError, match="not the file"):
        site.admit(renamed, "pack")
