"""The publisher's folder: what is in it after each change, and whose keys may change it."""

from __future__ import annotations

import os
import shutil
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from tests.tuf.conftest import Clock, Site

from sakedge.errors import (
    FileFormatError,
    OptionError,
    ReplayError,
    SakedgeError,
    SignatureError,
    StorageError,
    UnknownNameError,
    UnsafePathError,
)
from sakedge.format import StudentFile, extract_part, write_pack
from sakedge.trust.tuf.names import ROLES
from sakedge.trust.tuf.publisher import Publisher


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_new_repository_has_four_keys_of_its_own_and_an_empty_list(tmp_path: Path) -> None:
    office = Publisher.init(tmp_path / "repository", tmp_path / "keys")
    assert office.targets == {}
    assert names(tmp_path / "keys") == [f"{role}-1.key" for role in sorted(ROLES[:1])] + [
        *("root.json", "snapshot-1.key", "targets-1.key", "timestamp-1.key")
    ]
    for path in (tmp_path / "keys").glob("*.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (
        len({key for role in office.trusted.root.signed.roles.values() for key in role.keyids}) == 4
    )


def test_the_root_key_may_lie_elsewhere_and_is_needed_to_rotate_only(tmp_path: Path) -> None:
    repository, keys, safe = (tmp_path / name for name in ("repository", "keys", "safe"))
    Publisher.init(repository, keys, root_keys=safe)
    assert [path.name for path in safe.iterdir()] == ["root-1.key"]
    (tmp_path / "a.bin").write_bytes(b"a")
    Publisher(repository, keys).publish([tmp_path / "a.bin"])
    before = names(tmp_path)
    with pytest.raises(SignatureError, match="--root-keys"):
        Publisher(repository, keys).rotate("timestamp")
    assert names(tmp_path) == before
    assert Publisher(repository, keys, root_keys=safe).rotate("root")
    assert [path.name for path in safe.iterdir()] == ["root-2.key"]


def test_a_pack_is_described_and_its_envelope_comes_along(
    site: Site, tiny_student: Path, tmp_path: Path
) -> None:
    with StudentFile.open(tiny_student) as student:
        part = extract_part(student, "adapters.sam", version="7")
    pack = tmp_path / "sam.safetensors"
    write_pack(pack, part.manifest, part.tensors)
    (tmp_path / "sam.safetensors.dsse.json").write_text("{}")
    listed = site.office.publish([pack])
    assert [target.name for target in listed] == [pack.name, f"{pack.name}.dsse.json"]
    custom = dict(listed[0].custom)
    assert custom.pop("stem_lineage") == part.manifest.stem_lineage
    assert custom.pop("license", None) == part.manifest.license
    assert custom == {
        "kind": "pack",
        "part": "adapter",
        "name": "sam",
        "version": "7",
        "teacher": part.manifest.teacher,
    }
    assert listed[1].custom == {"kind": "envelope"}
    assert site.office.revoke(pack.name) == (pack.name, f"{pack.name}.dsse.json")


def test_a_student_is_described(site: Site, tiny_student: Path) -> None:
    (listed,) = site.office.publish([tiny_student])
    assert listed.custom["kind"] == "student"
    assert len(listed.custom["content_digest"]) == 64


def test_a_folder_is_listed_file_by_file(site: Site, tmp_path: Path) -> None:
    golden = tmp_path / "golden"
    (golden / "images").mkdir(parents=True)
    (golden / "golden.json").write_text("{}")
    (golden / "images" / "1.png").write_bytes(b"png")
    listed = site.office.publish([golden])
    assert [target.name for target in listed] == ["golden/golden.json", "golden/images/1.png"]
    site.box.refresh(site.repository)
    assert site.box.fetch(site.repository, "golden/images/1.png") == b"png"


def test_what_is_listed_no_longer_is_removed(site: Site) -> None:
    (site.place / "a.bin").write_bytes(b"another")
    site.office.publish([site.place / "a.bin"])
    site.office.revoke("b.bin")
    assert names(site.repository / "metadata") == [
        *("1.root.json", "4.snapshot.json", "4.targets.json", "timestamp.json")
    ]
    (left,) = names(site.repository / "targets")
    assert left.endswith(".a.bin")


def test_expiries_are_as_asked_for_and_stay_so(tmp_path: Path) -> None:
    clock = Clock()
    repository, keys = tmp_path / "repository", tmp_path / "keys"
    Publisher.init(repository, keys, days={"timestamp": 7, "root": 100}, clock=clock)
    Publisher(repository, keys, clock=clock).refresh()
    office = Publisher(repository, keys, clock=clock)
    days = {each.role: (each.expires - clock.now).days for each in office.trusted.documents}
    assert days == {"root": 100, "timestamp": 7, "snapshot": 400, "targets": 800}
    Publisher(repository, keys, days={"targets": 30}, clock=clock).refresh()
    office = Publisher(repository, keys, clock=clock)
    assert office.trusted.documents[3].expires == clock.now + timedelta(days=30)


def test_the_list_is_signed_anew_before_it_expires_under_the_timestamp(site: Site) -> None:
    listed = site.office.trusted.documents[3].version
    site.office_clock.forward(399)
    site.office.refresh()
    assert site.office.trusted.documents[3].version == listed
    site.office_clock.forward(2)
    site.office.refresh()
    assert site.office.trusted.documents[3].version == listed + 1


def test_a_rotated_key_is_removed(site: Site) -> None:
    site.office.rotate("timestamp")
    assert [path.name for path in site.keys.glob("timestamp-*")] == ["timestamp-2.key"]


def test_a_lost_key_is_replaced(site: Site) -> None:
    (site.keys / "targets-1.key").unlink()
    with pytest.raises(SignatureError, match="targets"):
        site.office.revoke("a.bin")
    site.office.rotate("targets")
    site.office.revoke("a.bin")
    site.box.refresh(site.repository)
    assert set(site.box.targets()) == {"b.bin"}


def test_a_repository_that_others_changed_is_not_signed(site: Site) -> None:
    path = site.repository / "metadata" / "2.targets.json"
    path.write_text(path.read_text().replace("a.bin", "c.bin"))
    with pytest.raises(ReplayError, match="damaged"):
        site.office.refresh()
    (site.place / "other").mkdir()
    other = Site(site.place / "other")
    with pytest.raises(SignatureError):
        Publisher(other.repository, site.keys)


def test_a_repository_is_made_once(site: Site, tmp_path: Path) -> None:
    for repository, keys in ((site.repository, tmp_path / "k"), (tmp_path / "r", site.keys)):
        with pytest.raises(OptionError, match="made before"):
            Publisher.init(repository, keys)


def test_a_damaged_pack_is_not_published(site: Site, tmp_path: Path) -> None:
    (tmp_path / "sam.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0nonsense")
    with pytest.raises(FileFormatError):
        site.office.publish([site.place / "a.bin", tmp_path / "sam.safetensors"])
    assert set(site.office.targets) == {"a.bin", "b.bin"}


def test_two_files_of_one_name_are_refused(site: Site, tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    shutil.copy(site.place / "a.bin", tmp_path / "two" / "a.bin")
    with pytest.raises(OptionError, match=r"two files are called a\.bin"):
        site.office.publish([site.place / "a.bin", tmp_path / "two" / "a.bin"])


@pytest.mark.parametrize("name", [".hidden", "a:b", "a\nb", "a\\b", "a?", "x" * 200, "a "])
def test_a_name_that_not_every_system_has_is_refused(site: Site, name: str) -> None:
    (site.place / name).write_bytes(b"")
    with pytest.raises(UnsafePathError):
        site.office.publish([site.place / name])


def test_links_in_a_folder_are_refused(site: Site, tmp_path: Path) -> None:
    (tmp_path / "golden").mkdir()
    (tmp_path / "golden" / "link").symlink_to("/etc/passwd")
    with pytest.raises(UnsafePathError, match="is a link"):
        site.office.publish([tmp_path / "golden"])


def test_hostile_arguments_are_refused(site: Site, tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        site.office.publish([tmp_path / "missing.bin"])
    with pytest.raises(OptionError, match="no file to publish"):
        site.office.publish([])
    for nothing in (None, 5, b"a.bin"):
        with pytest.raises(SakedgeError):
            site.office.publish(nothing)  # type: ignore[arg-type]
        with pytest.raises(SakedgeError):
            site.office.revoke(nothing)  # type: ignore[arg-type]
    os.mkfifo(site.place / "pipe.dsse.json")
    with pytest.raises(StorageError):
        site.office.publish(site.place / "pipe.dsse.json")
    for wrong in (None, 5, "timestamps"):
        with pytest.raises(OptionError):
            site.office.rotate(wrong)  # type: ignore[arg-type]
        with pytest.raises(SakedgeError):
            site.office.publish([wrong])  # type: ignore[list-item]
    with pytest.raises(UnknownNameError):
        site.office.revoke(["c.bin"])
    for days in ({"timestamp": 0}, {"root": 10**9}, {"mirror": 5}, {"root": True}, [1]):
        with pytest.raises(OptionError):
            Publisher(site.repository, site.keys, days=days)  # type: ignore[arg-type]
    assert set(site.office.targets) == {"a.bin", "b.bin"}
