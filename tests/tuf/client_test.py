"""What a box takes over from a repository, and what it refuses."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.tuf.conftest import Site
from tools.fuzz.resign import resign

from sakedge.errors import (
    ExpiredError,
    MetadataError,
    OptionError,
    ReplayError,
    RevokedError,
    SignatureError,
    StorageError,
)
from sakedge.trust.tuf.client import Client
from sakedge.trust.tuf.names import ROLES, Role
from sakedge.trust.tuf.publisher import Publisher


def test_a_box_installs_what_is_listed(site: Site) -> None:
    site.box.refresh(site.repository)
    content = site.box.fetch(site.repository, "a.bin")
    assert content == b"content of a.bin"
    target = site.box.check("a.bin", memoryview(content))
    assert (target.name, target.length, target.custom["kind"]) == ("a.bin", len(content), "file")


def test_nothing_is_installed_before_a_repository_was_seen(site: Site) -> None:
    with pytest.raises(MetadataError, match="not seen the update repository yet"):
        site.box.check("a.bin", b"content of a.bin")


def test_a_file_under_the_name_of_another_is_refused(site: Site) -> None:
    site.box.refresh(site.repository)
    with pytest.raises(ReplayError, match=r"b\.bin is not the file"):
        site.box.check("b.bin", b"content of a.bin")


def test_a_replaced_file_counts_no_more(site: Site) -> None:
    site.box.refresh(site.repository)
    (site.place / "a.bin").write_bytes(b"new content")
    site.office.publish([site.place / "a.bin"])
    assert site.box.check("a.bin", b"content of a.bin")  # it has not heard of it yet
    site.box.refresh(site.repository)
    assert site.box.fetch(site.repository, "a.bin") == b"new content"
    with pytest.raises(ReplayError):
        site.box.check("a.bin", b"content of a.bin")


def test_a_revoked_file_is_refused(site: Site) -> None:
    site.box.refresh(site.repository)
    site.office.revoke("a.bin")
    site.box.refresh(site.repository)
    with pytest.raises(RevokedError, match=r"a\.bin"):
        site.box.check("a.bin", b"content of a.bin")
    assert site.box.check("b.bin", b"content of b.bin")


@pytest.mark.parametrize("role", ROLES)
def test_a_box_follows_a_rotated_key(site: Site, role: Role) -> None:
    site.box.refresh(site.repository)
    site.office.rotate(role)
    site.box.refresh(site.repository)
    site.office.publish([site.place / "b.bin"])
    site.box.refresh(site.repository)
    assert site.box.trusted.root.version == 2
    assert site.box.check("a.bin", b"content of a.bin")


def test_a_box_that_missed_many_rotations_follows_all_of_them(site: Site) -> None:
    for _ in range(3):
        for role in ROLES:
            site.office.rotate(role)
    site.box.refresh(site.repository)
    assert site.box.trusted.root.version == 13
    assert len(site.box.trusted.revoked) == 12


@pytest.mark.parametrize("role", ["targets", "snapshot", "timestamp"])
def test_what_a_revoked_key_signs_is_refused(site: Site, role: Role) -> None:
    """Whoever has stolen a key goes on to sign with it, and has the newest root on his stick."""
    stolen = shutil.copytree(site.keys, site.place / "stolen")
    site.box.refresh(site.repository)
    thief = site.copy("thief")
    site.office.rotate(role)
    (site.place / "evil.bin").write_bytes(b"evil")
    Publisher(thief, stolen, clock=site.office_clock).publish([site.place / "evil.bin"])
    shutil.copy(site.repository / "metadata" / "2.root.json", thief / "metadata")
    with pytest.raises(RevokedError, match=f"{role} metadata is signed with key"):
        site.box.refresh(thief)
    with pytest.raises(RevokedError):  # the new root is kept: also what the old key once signed
        site.box.check("a.bin", b"content of a.bin")
    site.box.refresh(site.repository)
    assert site.box.check("a.bin", b"content of a.bin")
    assert "evil.bin" not in site.box.targets()


def test_a_box_recovers_from_a_stolen_timestamp_key_that_counted_far(site: Site) -> None:
    stolen = shutil.copytree(site.keys, site.place / "stolen")
    thief = Publisher(site.copy("thief"), stolen, clock=site.office_clock)
    for _ in range(5):
        thief.refresh()
    site.box.refresh(site.place / "thief")
    with pytest.raises(ReplayError):
        site.box.refresh(site.repository)
    site.office.rotate("snapshot")
    site.office.rotate("timestamp")
    site.box.refresh(site.repository)
    assert site.box.check("a.bin", b"content of a.bin")


def test_another_publisher_is_refused(site: Site, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Site(tmp_path / "other")
    with pytest.raises(SignatureError):
        site.box.refresh(other.repository)


def test_older_metadata_are_refused(site: Site) -> None:
    old = site.copy("old")
    site.office.refresh()
    site.box.refresh(site.repository)
    with pytest.raises(ReplayError, match="older timestamp metadata"):
        site.box.refresh(old)
    assert site.box.check("a.bin", b"content of a.bin")


def test_the_same_repository_again_changes_nothing(site: Site) -> None:
    site.box.refresh(site.repository)
    before = (site.place / "state" / "trusted.json").read_bytes()
    site.box.refresh(site.repository)
    assert (site.place / "state" / "trusted.json").read_bytes() == before


def test_two_histories_of_one_repository_are_told_apart(site: Site) -> None:
    fork = site.copy("fork")
    site.office_clock.forward(1)
    site.office.refresh()
    site.office_clock.forward(1)
    Publisher(fork, site.keys, clock=site.office_clock).refresh()
    site.box.refresh(site.repository)
    with pytest.raises(ReplayError, match="two timestamps of version 3"):
        site.box.refresh(fork)


@pytest.mark.parametrize("name", ["3.targets.json", "3.snapshot.json"])
def test_metadata_of_two_times_are_refused(site: Site, name: str) -> None:
    """Both are signed by the right keys; they only do not belong together."""
    fork = site.copy("fork")
    (site.place / "c.bin").write_bytes(b"c")
    Publisher(fork, site.keys, clock=site.office_clock).publish([site.place / "c.bin"])
    site.office.publish([site.place / "a.bin"])
    shutil.copy(fork / "metadata" / name, site.repository / "metadata")
    with pytest.raises(ReplayError, match="of another time"):
        site.box.refresh(site.repository)


def test_what_is_refused_leaves_what_was_accepted(site: Site) -> None:
    site.box.refresh(site.repository)
    site.office.refresh()
    broken = site.copy("broken")
    (broken / "metadata" / "3.snapshot.json").unlink()
    with pytest.raises(MetadataError, match=r"lacks metadata/3\.snapshot\.json"):
        site.box.refresh(broken)
    assert site.box.fetch(site.repository, "a.bin") == b"content of a.bin"


def test_expired_metadata_are_refused_and_the_remedy_is_said(site: Site) -> None:
    site.box.refresh(site.repository)
    site.forward(400)
    with pytest.raises(ExpiredError) as refused:
        site.box.check("a.bin", b"content of a.bin")
    assert "repo refresh" in str(refused.value)
    assert "clock is ahead" in str(refused.value)
    with pytest.raises(ExpiredError):
        site.box.refresh(site.repository)
    site.office.refresh()
    site.box.refresh(site.repository)
    assert site.box.check("a.bin", b"content of a.bin")


def test_a_box_that_only_goes_on_may_use_what_has_expired_but_not_what_was_revoked(
    site: Site,
) -> None:
    site.office.revoke("b.bin")
    site.box.refresh(site.repository)
    site.forward(1000)
    assert site.box.check("a.bin", b"content of a.bin", may_be_expired=True)
    with pytest.raises(RevokedError):
        site.box.check("b.bin", b"content of b.bin", may_be_expired=True)


def test_an_expired_root_is_renewed_by_rotating_it(site: Site) -> None:
    site.forward(1825)
    site.office.refresh()
    with pytest.raises(ExpiredError, match=r"the root metadata.*rotate root"):
        site.box.refresh(site.repository)
    site.office.rotate("root")
    site.box.refresh(site.repository)
    assert site.box.check("a.bin", b"content of a.bin")


def test_a_state_that_began_with_another_root_is_refused(site: Site, tmp_path: Path) -> None:
    site.box.refresh(site.repository)
    (tmp_path / "other").mkdir()
    site.root = Site(tmp_path / "other").root
    with pytest.raises(MetadataError, match="begun with another root of trust"):
        site.box.targets()


@pytest.mark.parametrize("damage", [b"", b"{}", b"[1]", b"\xff", b'{"format_version": 2}'])
def test_a_damaged_state_is_refused_and_not_forgotten(site: Site, damage: bytes) -> None:
    site.box.refresh(site.repository)
    (site.place / "state" / "trusted.json").write_bytes(damage)
    for act in (site.box.targets, lambda: site.box.refresh(site.repository)):
        with pytest.raises(MetadataError, match=r"trusted\.json is damaged"):
            act()
    assert (site.place / "state" / "trusted.json").read_bytes() == damage


def test_a_state_that_cannot_be_read_is_not_taken_for_none(site: Site) -> None:
    site.box.refresh(site.repository)
    shutil.rmtree(site.place / "state")
    (site.place / "state").write_text("a file")
    with pytest.raises(StorageError, match=r"trusted\.json"):
        site.box.targets()


def test_a_state_comes_back_with_whatever_a_root_names(site: Site) -> None:
    """Ids of keys are any text, in any number."""
    repository, keys = site.repository, site.keys
    shutil.copy(repository / "metadata" / "1.root.json", repository / "metadata" / "2.root.json")

    def name_oddly(root: dict[str, Any]) -> None:
        root["version"] = 2
        key = next(iter(root["keys"].values()))
        root["keys"] |= {f"{'x' * 300}{number}": key for number in range(300)}
        root["roles"]["targets"]["keyids"] += list(root["keys"])[4:]

    resign(repository, keys, "root", name_oddly)
    site.box.refresh(repository)
    assert len(site.box.trusted.root.signed.keys) == 304
    site.office.rotate("targets")
    site.box.refresh(repository)
    assert len(site.box.trusted.revoked) == 301


def test_threads_take_turns(site: Site) -> None:
    """Whichever comes last, the newest stays."""
    old = site.copy("old")
    for _ in range(3):
        site.office.refresh()
    problems: list[BaseException] = []

    def follow(stick: Path) -> None:
        try:
            site.box.refresh(stick)
        except ReplayError:
            pass
        except BaseException as error:
            problems.append(error)

    threads = [
        threading.Thread(target=follow, args=[stick])
        for stick in (old, site.repository, old, site.repository)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert site.box.trusted.documents[1].version == 5


@pytest.mark.parametrize("given", [None, "text", 7, b""])
def test_what_is_no_root_of_trust_is_refused(given: object, tmp_path: Path) -> None:
    with pytest.raises((OptionError, MetadataError)):
        Client(given, tmp_path)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["c.bin", "", "../a.bin", None, 5, "\ud800"])
def test_what_is_not_listed_is_refused_whatever_it_is(site: Site, name: object) -> None:
    site.box.refresh(site.repository)
    with pytest.raises(RevokedError, match="does not list"):
        site.box.target(name)  # type: ignore[arg-type]
