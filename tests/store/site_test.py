"""A site decides what comes into the store, who changes it, and reads what was done."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tools.crash_store.disk import read_tree

from sakedge.audit import Entry, entries, whoami
from sakedge.errors import PermissionDeniedError, PolicyError, RevokedError, SignatureError
from sakedge.site import Site
from sakedge.store import Store
from sakedge.trust.encryption import encrypt_gcm
from sakedge.trust.envelope import sign_file
from sakedge.trust.keyring import Revocation, revoke
from sakedge.trust.keys import PrivateKey


class Place:
    """A site's folder and a key that it trusts."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.key = folder, PrivateKey.generate()
        (folder / "keys").mkdir(parents=True)
        self.key.public.write(folder / "keys" / "line.pub")

    def open(self, **policy: Any) -> Site:
        (self.folder / "policy.json").write_text(
            json.dumps({"format_version": 1, "audit": {"required": True}, **policy})
        )
        return Site.open(self.folder)

    def log(self) -> list[Entry]:
        """What was recorded of the store, and what was refused."""
        found = entries(self.folder / "audit")
        return [each for each in found if each.action.startswith(("store.", "refuse"))]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "site")


@pytest.fixture
def signed(packs: list[Path], place: Place, tmp_path: Path) -> list[Path]:
    """The packs, signed by the key that the site trusts."""
    (tmp_path / "signed").mkdir()
    found = [Path(shutil.copy(pack, tmp_path / "signed")) for pack in packs]
    for pack in found:
        sign_file(pack, place.key, predicate={})
    return found


def test_what_is_not_signed_by_a_trusted_key_does_not_come_in(
    place: Place, packs: list[Path], signed: list[Path], tmp_path: Path
) -> None:
    store = Store.create(tmp_path / "store", site=place.open(require_signature="dsse"))
    entry = store.add(signed[0])
    before = read_tree(store.folder / "packs")
    (tmp_path / "bare").mkdir()
    bare = shutil.copy(signed[1], tmp_path / "bare")
    renamed = tmp_path / "bare" / "other.safetensors"
    shutil.copy(signed[1], renamed)
    shutil.copy(f"{signed[1]}.dsse.json", f"{renamed}.dsse.json")
    for pack in (bare, renamed, packs[1], packs[0]):
        with pytest.raises(SignatureError):
            store.add(pack)
        assert read_tree(store.folder / "packs") == before
    assert [str(each) for each in store.entries()] == ["sam 1"]
    assert store.path(entry.digest).is_file()
    assert [each.action for each in place.log()].count("refuse") == 4


def test_a_key_that_was_revoked_since_is_found_when_a_pack_is_read_back(
    place: Place, signed: list[Path], tmp_path: Path
) -> None:
    store = Store.create(tmp_path / "store", site=place.open(require_signature="dsse"))
    for pack in signed[:2]:
        store.activate("sam", store.add(pack).version)
    revoke(place.folder / "keys", place.key.keyid, Revocation(since="2026-11-26T00:00:00Z"))
    store = Store.open(store.folder, site=Site.open(place.folder))
    with pytest.raises(RevokedError):
        store.rollback()
    with pytest.raises(RevokedError):
        store.path(store.state().active["sam"])
    another = PrivateKey.generate()
    another.public.write(place.folder / "keys" / "another.pub")
    for pack in signed[:2]:
        Path(f"{pack}.dsse.json").unlink()
        sign_file(pack, another, predicate={})
        store.add(pack)
    store.rollback()
    assert store.path(store.state().active["sam"]).name == "sam-1.safetensors"


def test_an_encrypted_pack_lies_encrypted_in_the_store(
    place: Place, packs: list[Path], tmp_path: Path
) -> None:
    key = bytes(range(32))
    (place.folder / "gcm").write_text(f"SAKEDGE-GCM-KEY-1 {key.hex()}\n")
    secret = tmp_path / "sam.safetensors"
    secret.write_bytes(encrypt_gcm(packs[0].read_bytes(), key))
    site = place.open(decryption={"gcm_key": "gcm"})
    store = Store.create(tmp_path / "store", site=site)
    entry = store.add(secret)
    assert (entry.name, entry.version) == ("sam", "1")
    assert store.path(entry.digest).read_bytes() == secret.read_bytes()
    store.activate("sam", "1")


def test_a_licence_that_is_not_allowed_does_not_come_in(
    place: Place, packs: list[Path], tmp_path: Path
) -> None:
    site = place.open(licenses={"allow": ["Apache-2.0"]})
    store = Store.create(tmp_path / "store", site=site)
    with pytest.raises(PolicyError, match="licence"):
        store.add(packs[0])
    assert store.entries() == ()
    assert list((store.folder / "packs").iterdir()) == []


def test_each_act_needs_its_role(place: Place, packs: list[Path], tmp_path: Path) -> None:
    me = whoami().partition(" (")[0]
    store = Store.create(tmp_path / "store", site=place.open())
    for pack in packs[:2]:
        store.activate("sam", store.add(pack).version)

    def as_one_who_may(*actions: str) -> Store:
        policy = {"roles": {"some": list(actions)}, "users": {me: "some"}}
        return Store.open(store.folder, site=place.open(**policy))

    viewer = as_one_who_may("view")
    assert len(viewer.entries()) == 2
    viewer.export("sam", "1", tmp_path / "out")
    for act in (
        lambda: viewer.add(packs[2]),
        lambda: viewer.activate("sam", "1"),
        lambda: viewer.deactivate("sam"),
        viewer.rollback,
        viewer.gc,
    ):
        with pytest.raises(PermissionDeniedError):
            act()
    assert store.state().generation == 2
    as_one_who_may("rollback").rollback()
    as_one_who_may("swap").activate("sam", "2")
    as_one_who_may("administer").gc(0)
    with pytest.raises(PermissionDeniedError):
        as_one_who_may("swap").entries()


def test_every_act_is_recorded(place: Place, packs: list[Path], tmp_path: Path) -> None:
    store = Store.create(tmp_path / "store", site=place.open())
    one, two = (store.add(pack) for pack in packs[:2])
    store.activate("sam", "1")
    store.activate("sam", "2", reason="brighter lamp")
    store.rollback()
    store.deactivate("sam")
    store.export("sam", "1", tmp_path / "out")
    (tmp_path / "x.safetensors").write_bytes(b"no pack")
    with pytest.raises(Exception, match="safetensors"):
        store.add(tmp_path / "x.safetensors")
    store.gc(0)
    found = [(each.action, each.subject, each.old, each.new, each.result) for each in place.log()]
    assert found == [
        ("store.create", str(store.folder), None, None, "done"),
        ("store.add", "sam 1", None, one.digest, "done"),
        ("store.add", "sam 2", None, two.digest, "done"),
        ("store.activate", "sam", None, one.digest, "done"),
        ("store.activate", "sam", one.digest, two.digest, "done"),
        ("store.rollback", "sam", two.digest, one.digest, "done"),
        ("store.deactivate", "sam", one.digest, None, "done"),
        ("store.export", "sam 1", None, one.digest, "done"),
        ("store.add", "x.safetensors", None, None, "failed"),
        ("store.gc", "sam 1", one.digest, None, "done"),
        ("store.gc", "sam 2", two.digest, None, "done"),
    ]
    assert dict(place.log()[4].detail) == {"reason": "brighter lamp"}
