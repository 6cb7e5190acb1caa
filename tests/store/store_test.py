"""The store: what is added stays as it came, what is active changes in one step, and goes back."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest

from sakedge.errors import (
    AdapterMismatchError,
    DigestError,
    OptionError,
    StorageError,
    StoreError,
    WrongBaseError,
)
from sakedge.format import StudentFile, extract_part, write_pack
from sakedge.format.delta import diff
from sakedge.store import Store


def active(store: Store) -> dict[str, str]:
    """Versions that are active, by name."""
    versions = {each.digest: each.version for each in store.entries()}
    return {name: versions[digest] for name, digest in store.state().active.items()}


def test_a_pack_lies_in_the_store_under_its_digest_and_its_own_name(
    store: Store, packs: list[Path]
) -> None:
    entry = store.add(packs[0])
    assert entry.digest == hashlib.sha256(packs[0].read_bytes()).hexdigest()
    assert (entry.name, entry.version, entry.file) == ("sam", "1", "sam-1.safetensors")
    assert entry.active == ()
    path = store.path(entry.digest)
    assert path == store.folder / "packs" / entry.digest / "sam-1.safetensors"
    assert path.read_bytes() == packs[0].read_bytes()
    envelope = packs[0].with_name("sam-1.safetensors.dsse.json")
    assert path.with_name(envelope.name).read_bytes() == envelope.read_bytes()


def test_a_pack_that_is_there_already_is_not_added_again(store: Store, packs: list[Path]) -> None:
    first = store.add(packs[0])
    assert store.add(packs[0]) == first
    assert len(store.entries()) == 1


def test_a_pack_may_be_for_another_slot_and_of_another_version(
    store: Store, packs: list[Path]
) -> None:
    store.add(packs[0])
    other = store.add(packs[0], name="line", version="2026/11")
    assert [str(each) for each in store.entries()] == ["line 2026/11", "sam 1"]
    store.activate("line", "2026/11")
    assert store.state().active == {"line": other.digest}
    assert [each.active for each in store.entries()] == [("line",), ()]


def test_another_pack_of_the_same_version_is_refused(store: Store, packs: list[Path]) -> None:
    store.add(packs[0])
    with pytest.raises(StoreError, match="another pack is in the store as sam 1"):
        store.add(packs[1], version="1")
    assert [str(each) for each in store.entries()] == ["sam 1"]
    assert len(list((store.folder / "packs").iterdir())) == 1


def test_only_adapters_are_added(store: Store, packs: list[Path], tmp_path: Path) -> None:
    with StudentFile.open(packs[0].parent / "student.onnx") as file:
        part = extract_part(file, "heads.edge")
    write_pack(tmp_path / "head.safetensors", part.manifest, part.tensors)
    with pytest.raises(AdapterMismatchError, match="expected an adapter pack"):
        store.add(tmp_path / "head.safetensors")
    assert list((store.folder / "packs").iterdir()) == []


def test_a_version_is_activated_by_its_name_or_its_digest(full: Store) -> None:
    digest = next(each.digest for each in full.entries() if each.version == "1")
    assert active(full) == {"sam": "3"}
    state = full.activate("sam", digest[:8], reason="the third one smears")
    assert active(full) == {"sam": "1"}
    assert (state.generation, state.reason) == (4, "the third one smears")
    assert full.activate("sam", "1") == state
    assert [each.generation for each in full.history()] == [3, 2, 1, 0]


@pytest.mark.parametrize("version", ["4", "", "0000000", "0" * 64])
def test_a_version_that_is_not_there_is_refused(full: Store, version: str) -> None:
    before = full.state()
    with pytest.raises(StoreError, match=r"no such version of sam.*one of 1 \("):
        full.activate("sam", version)
    assert full.state() == before


def test_versions_lie_side_by_side(full: Store) -> None:
    full.activate("sam@line3", "1")
    assert active(full) == {"sam": "3", "sam@line3": "1"}
    assert [each.active for each in full.entries()] == [("sam@line3",), (), ("sam",)]


def test_each_rollback_goes_one_state_further_back(full: Store) -> None:
    for version in ("2", "1"):
        full.rollback()
        assert active(full) == {"sam": version}
    full.rollback()
    assert active(full) == {}
    with pytest.raises(StoreError, match="no state to go back to"):
        full.rollback()
    assert full.state().generation == 6


def test_what_was_activated_after_a_rollback_is_undone_first(full: Store) -> None:
    full.rollback()
    full.activate("sam@line3", "1")
    full.rollback()
    assert active(full) == {"sam": "2"}
    full.rollback()
    assert active(full) == {"sam": "1"}


def test_one_name_is_rolled_back_by_itself(full: Store) -> None:
    full.activate("sam@line3", "1")
    for version in ("2", "1"):
        full.rollback("sam")
        assert active(full) == {"sam": version, "sam@line3": "1"}
    full.rollback("sam")
    assert active(full) == {"sam@line3": "1"}
    with pytest.raises(StoreError, match="nothing to go back to for sam"):
        full.rollback("sam")
    full.rollback()
    assert active(full) == {"sam": "1", "sam@line3": "1"}


def test_a_name_that_was_left_to_the_student_comes_back_by_rollback(full: Store) -> None:
    full.deactivate("sam")
    assert active(full) == {}
    with pytest.raises(StoreError, match="nothing of the store is active as sam"):
        full.deactivate("sam")
    full.rollback("sam")
    assert active(full) == {"sam": "3"}


def test_the_history_is_bounded(full: Store) -> None:
    for i in range(70):
        full.activate("sam", "12"[i % 2])
    kept = [each.generation for each in full.history()]
    assert kept == list(range(72, 8, -1))


@pytest.mark.parametrize(
    ("keep", "left"), [(0, ["3"]), (1, ["2", "3"]), (2, ["1", "2", "3"]), (9, ["1", "2", "3"])]
)
def test_gc_keeps_what_so_many_steps_back_need(full: Store, keep: int, left: list[str]) -> None:
    gone = full.gc(keep)
    assert [each.version for each in full.entries()] == left
    assert sorted([*left, *(each.version for each in gone)]) == ["1", "2", "3"]
    assert len(list((full.folder / "packs").iterdir())) == len(left)
    for _ in range(keep if keep < 3 else 3):
        full.rollback()
    with pytest.raises(StoreError):
        full.rollback()
    assert full.gc(keep) == ()


def test_gc_keeps_what_was_added_since(full: Store, packs: list[Path]) -> None:
    full.gc(0)
    full.add(packs[0])
    assert full.gc(0) == ()
    full.activate("sam@line3", "3")
    assert [each.version for each in full.gc(0)] == ["1"]


def test_a_pack_is_kept_as_long_as_any_version_is_of_it(full: Store, packs: list[Path]) -> None:
    full.add(packs[0], name="line")
    assert [str(each) for each in full.gc(0)] == ["sam 1", "sam 2"]
    full.activate("line", "1")


def test_what_is_exported_is_what_came(full: Store, packs: list[Path], tmp_path: Path) -> None:
    path = full.export("sam", "2", tmp_path / "usb" / "out")
    assert path == tmp_path / "usb" / "out" / packs[1].name
    for name in (packs[1].name, f"{packs[1].name}.dsse.json"):
        assert (path.parent / name).read_bytes() == packs[1].with_name(name).read_bytes()


def test_a_damaged_pack_is_found_and_repaired_by_adding_it_again(
    full: Store, packs: list[Path], tmp_path: Path
) -> None:
    digest = next(each.digest for each in full.entries() if each.version == "1")
    path = full.path(digest)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    for act in (
        lambda: full.path(digest),
        lambda: full.activate("sam", "1"),
        lambda: full.export("sam", "1", tmp_path),
    ):
        with pytest.raises(DigestError, match=r"was changed or damaged.*Add the pack again"):
            act()
    path.unlink()
    with pytest.raises(StoreError, match="cannot be read"):
        full.activate("sam", "1")
    full.add(packs[0])
    full.activate("sam", "1")


def test_a_rollback_to_a_pack_that_is_damaged_is_refused(full: Store) -> None:
    two = next(each for each in full.entries() if each.version == "2")
    full.path(two.digest).write_bytes(b"")
    with pytest.raises(DigestError):
        full.rollback()
    assert active(full) == {"sam": "3"}


def test_a_delta_becomes_the_pack_that_it_makes(
    store: Store, packs: list[Path], tmp_path: Path
) -> None:
    usb = tmp_path / "usb"
    usb.mkdir()
    diff(packs[0], packs[1], usb / "update.sakdelta")
    shutil.copy(packs[1].with_name(f"{packs[1].name}.dsse.json"), usb)
    with pytest.raises(WrongBaseError, match="Add that pack first"):
        store.add(usb / "update.sakdelta")
    store.add(packs[0])
    entry = store.add(usb / "update.sakdelta")
    path = store.path(entry.digest)
    assert (entry.version, path.name) == ("2", packs[1].name)
    assert path.read_bytes() == packs[1].read_bytes()
    assert path.with_name(f"{path.name}.dsse.json").exists()


@pytest.mark.parametrize(
    "act",
    [
        lambda store, pack: store.add(pack, name="a b"),
        lambda store, pack: store.add(pack, name="sam@line3"),
        lambda store, pack: store.add(pack, name=3),
        lambda store, pack: store.add(pack, version="x" * 300),
        lambda store, pack: store.add(pack, golden=3),
        lambda store, pack: store.add(None),
        lambda store, pack: store.activate("../x", "1"),
        lambda store, pack: store.activate("sam", None),
        lambda store, pack: store.activate("sam", "1", reason="x" * 2000),
        lambda store, pack: store.rollback(7),
        lambda store, pack: store.gc(-1),
        lambda store, pack: store.gc(None),
        lambda store, pack: store.path(None),
        lambda store, pack: store.export("sam", "1", None),
        lambda store, pack: Store.open(None),
        lambda store, pack: Store.open(store.folder, wait="long"),
    ],
)
def test_arguments_that_are_none_are_refused(store: Store, packs: list[Path], act: Any) -> None:
    store.add(packs[0])
    before = store.entries()
    with pytest.raises(OptionError):
        act(store, packs[0])
    assert store.entries() == before


def test_a_pack_with_a_name_that_hides_it_is_refused(
    store: Store, packs: list[Path], tmp_path: Path
) -> None:
    for name in (".sakedge-0123456789abcdef.tmp", "sam.dsse.json", "a\nb.safetensors"):
        shutil.copy(packs[0], tmp_path / name)
        with pytest.raises(OptionError, match="this is not a name of a pack"):
            store.add(tmp_path / name)


def test_golden_images_that_are_not_there_are_refused(
    full: Store, packs: list[Path], tmp_path: Path
) -> None:
    before = full.state()
    for golden in (tmp_path / "absent", packs[0], "x" * 5000):
        with pytest.raises(StorageError):
            full.add(packs[0], golden=golden)
    assert full.state() == before
