"""A store on a full or a read-only disk, of a newer format, and with several writers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tools.crash_store.acts import ACTS
from tools.crash_store.disk import read_tree
from tools.crash_store.judge import check_whole
from tools.crash_store.trace import ROOT, environment

from sakedge.errors import NewerFormatError, StorageError, StoreError
from sakedge.files.locked import locked
from sakedge.store import Store


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """A file system of its own, in memory."""
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", folder], capture_output=True)
    if made.returncode:
        pytest.skip("may not mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def listed(store: Store) -> dict[str, bytes | None]:
    """Everything in a store but its lock."""
    return {path: content for path, content in read_tree(store.folder).items() if path != "lock"}


def test_a_full_disk_changes_nothing_and_gc_makes_room(packs: list[Path], tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "-o", "size=256k,nr_inodes=64") as disk:
        store = Store.create(disk / "store")
        for pack in packs[:2]:
            store.activate("sam", store.add(pack).version)
        filler = disk / "filler"
        with pytest.raises(OSError, match="No space"), filler.open("wb") as file:
            while True:
                file.write(bytes(4096))
                file.flush()
        before = listed(store)
        acts: tuple[Callable[[], object], ...] = (
            lambda: store.add(packs[2]),
            lambda: store.activate("sam", "1"),
            store.rollback,
            lambda: store.deactivate("sam"),
        )
        for act in acts:
            with pytest.raises(StorageError, match="No space left"):
                act()
            assert listed(store) == before
        assert Store.open(store.folder).state().generation == 2
        assert [each.version for each in store.gc(0)] == ["1"]
        store.add(packs[2])
        store.activate("sam", "3")


def test_a_read_only_store_is_read_and_says_that_it_cannot_change(
    packs: list[Path], tmp_path: Path
) -> None:
    with mounted(tmp_path / "disk") as disk:
        store = Store.create(disk / "store")
        for pack in packs[:2]:
            store.activate("sam", store.add(pack).version)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        store = Store.open(store.folder)
        assert [each.active for each in store.entries()] == [(), ("sam",)]
        assert store.path(store.state().active["sam"]).is_file()
        store.export("sam", "1", tmp_path / "out")
        acts: tuple[Callable[[], object], ...] = (
            lambda: store.add(packs[2]),
            lambda: store.activate("sam", "1"),
            store.rollback,
            lambda: store.deactivate("sam"),
            store.gc,
        )
        for act in acts:
            with pytest.raises(StorageError, match=r"(?i)read-only"):
                act()


def test_a_store_of_a_newer_format_is_left_alone(full: Store) -> None:
    (full.folder / "packs" / ("0" * 64)).mkdir()  # as if it meant something there
    marker = full.folder / "store.json"
    marker.write_text(json.dumps({"format_version": 2, "more": True}))
    before = read_tree(full.folder)
    with pytest.raises(NewerFormatError, match=r"format version 1; got version 2\. Update sakedge"):
        Store.open(full.folder)
    assert read_tree(full.folder) == before


def test_a_folder_that_is_no_store_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is no adapter store"):
        Store.open(tmp_path / "missing")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match="neither empty nor an adapter store"):
        Store.create(tmp_path)
    with pytest.raises(StoreError, match="is no adapter store"):
        Store.open(tmp_path)
    store = Store.create(tmp_path / "store")
    with pytest.raises(StoreError, match="is an adapter store already"):
        Store.create(store.folder)


def test_whoever_waits_too_long_is_told_who_writes(full: Store, packs: list[Path]) -> None:
    store = Store.open(full.folder, wait=0.05)
    before = listed(store)
    with locked(store.folder / "lock"):
        with pytest.raises(StorageError, match=f"process {os.getpid()} holds it"):
            store.activate("sam", "1")
        assert [each.version for each in Store.open(store.folder).entries()] == ["1", "2", "3"]
    assert listed(store) == before
    store.activate("sam", "1")


def test_several_processes_add_and_activate_at_once(packs: list[Path], tmp_path: Path) -> None:
    store = Store.create(tmp_path / "store")
    code = """
import sys
from sakedge.store import Store
store = Store.open(sys.argv[1])
for pack in sys.argv[2:]:
    store.activate("sam", store.add(pack).version)
"""
    orders = (packs, packs[::-1], packs)
    running = [
        subprocess.Popen([sys.executable, "-c", code, store.folder, *order], stderr=subprocess.PIPE)
        for order in orders
    ]
    for process in running:
        _, said = process.communicate()
        assert process.returncode == 0, said.decode()
    assert [each.version for each in store.entries()] == ["1", "2", "3"]
    generations = [each.generation for each in store.history()]
    assert generations == list(range(store.state().generation - 1, -1, -1))
    assert 3 <= store.state().generation <= 9


def test_what_dead_writers_left_is_gone_after_the_next_opening(
    full: Store, packs: list[Path]
) -> None:
    before = listed(full)
    other = full.folder / "packs" / ("0" * 64)
    other.mkdir()
    shutil.copy(packs[0], other)
    (full.folder / "versions" / "dino").mkdir()
    shutil.copy(full.folder / "active.json", full.folder / "history" / "00000003.json")
    for folder in (full.folder, full.folder / "history", full.folder / "running", other):
        (folder / ".sakedge-0123456789abcdef.tmp").write_bytes(b"{")
    (full.folder / "running" / "4711-0.json").write_bytes(b"{")
    Store.open(full.folder)
    assert listed(full) == before


def test_what_a_living_writer_writes_is_not_taken_for_left_over(full: Store) -> None:
    other = full.folder / "packs" / ("0" * 64)
    with locked(full.folder / "lock"):
        other.mkdir()
        Store.open(full.folder)
        assert other.is_dir()


def test_what_somebody_put_there_is_not_touched(full: Store) -> None:
    (full.folder / "README.txt").write_text("ours")
    (full.folder / "packs" / "notes").mkdir()
    (full.folder / "packs" / "notes" / "a.txt").write_text("ours too")
    full.gc(0)
    assert (full.folder / "README.txt").exists()
    assert (full.folder / "packs" / "notes" / "a.txt").exists()


def test_a_damaged_version_keeps_nobody_from_going_back(full: Store) -> None:
    (full.folder / "versions" / "other").mkdir()
    (full.folder / "versions" / "other" / "1.json").write_text("{")
    with pytest.raises(StoreError, match="is damaged"):
        full.entries()
    full.rollback()
    full.activate("sam", "1")
    with pytest.raises(StoreError, match="is damaged"):
        full.gc(0)
    assert len(list((full.folder / "packs").iterdir())) == 3


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize("sync", [1, 2, 3, 4])
def test_a_disk_that_fails_to_sync_is_no_success(
    sync: int, packs: list[Path], memory: Path
) -> None:
    folder = memory / str(sync)
    ACTS["activate"].prepare(folder / "activate", packs)
    failing = subprocess.run(
        [
            *("strace", "-f", "-qq", "-o", os.devnull, "-e", "trace=fsync"),
            *("-e", f"inject=fsync:error=EIO:when={sync}", sys.executable),
            *("-m", "tools.crash_store.acts", folder, packs[0].parent, "activate"),
        ],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert failing.returncode == 1
    assert "StorageError: cannot write" in failing.stderr
    assert "Input/output error" in failing.stderr
    store = Store.open(folder / "activate")
    check_whole(store)
    # Once the state has its name, it holds; that it is on the disk is what was not to be had.
    assert store.state().generation == (2 if sync == 4 else 1)
