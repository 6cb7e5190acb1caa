"""Damaged stores: each cause is refused by its own error, and what runs goes on running."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tools.crash_store.packs import make_packs

import sakedge
from sakedge.adapters.following import Following
from sakedge.errors import (
    DigestError,
    FileFormatError,
    NewerFormatError,
    SakedgeError,
    StorageError,
    StoreError,
    UnsafePathError,
)
from sakedge.store import Store

IMAGE = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
Damage = Callable[[Path], object]


def fields(name: str, /, **changed: Any) -> Damage:
    """Other values in a file of the store; None removes one."""

    def damage(store: Path) -> None:
        (path,) = store.glob(name)
        content = json.loads(path.read_text())
        content.update({key: value for key, value in changed.items() if value is not None})
        for key in [key for key, value in changed.items() if value is None]:
            del content[key]
        path.write_text(json.dumps(content))

    return damage


def content(name: str, data: bytes) -> Damage:
    """Another content of a file of the store."""

    def damage(store: Path) -> None:
        (path,) = store.glob(name)
        path.write_bytes(data)

    return damage


def link(name: str, to: str) -> Damage:
    """A link in place of a file of the store."""

    def damage(store: Path) -> None:
        (path,) = store.glob(name)
        path.unlink()
        path.symlink_to(to)

    return damage


def pipe(name: str) -> Damage:
    """A pipe, which is never read to its end, in place of a file of the store."""

    def damage(store: Path) -> None:
        (path,) = store.glob(name)
        path.unlink()
        os.mkfifo(path)

    return damage


def many(store: Path) -> None:
    """More versions than any store has."""
    for i in range(4097):
        (store / "versions" / "sam" / f"x{i}.json").touch()


STATE, VERSION, PACK = "active.json", "versions/sam/1.json", "packs/*/sam-1.safetensors"
ONE = {"version": "1", "digest": "0" * 64, "generation": 1}
TOO_MANY = {f"a{i}": ONE for i in range(257)}
CASES: dict[str, tuple[Damage, type[SakedgeError], str]] = {
    "no marker": (lambda store: (store / "store.json").unlink(), StoreError, "no adapter store"),
    "marker of something else": (fields("store.json", kind="x"), StoreError, "kind"),
    "marker is empty": (content("store.json", b""), StoreError, "is damaged"),
    "marker is a folder": (
        lambda store: ((store / "store.json").unlink(), (store / "store.json").mkdir()),
        StorageError,
        "a folder",
    ),
    "newer store": (fields("store.json", format_version=2), NewerFormatError, "version 2"),
    "no state": (lambda store: (store / STATE).unlink(), StorageError, "cannot read"),
    "state is empty": (content(STATE, b""), StoreError, "is damaged"),
    "state is zeros": (content(STATE, bytes(4096)), StoreError, "is damaged"),
    "state is no object": (content(STATE, b"[]"), StoreError, "is damaged"),
    "state nests": (content(STATE, b"[" * 100_000), StoreError, "is damaged"),
    "state is huge": (content(STATE, b" " * (1 << 21)), StoreError, "more than 1048576"),
    "state has a key twice": (content(STATE, b'{"a":1,"a":2}'), StoreError, "key twice"),
    "state is no text": (content(STATE, b'{"\xff":1}'), StoreError, "is damaged"),
    "state is a link": (link(STATE, "/etc/passwd"), UnsafePathError, "is a link"),
    "state is a pipe": (pipe(STATE), StorageError, "not a regular file"),
    "newer state": (fields(STATE, format_version=9), NewerFormatError, "version 9"),
    "state with more": (fields(STATE, more=1), StoreError, "more"),
    "state without a time": (fields(STATE, since=None), StoreError, "since"),
    "state of no generation": (fields(STATE, generation=-1), StoreError, "generation"),
    "state of a float": (fields(STATE, generation=1.0), StoreError, "generation"),
    "state of a name that leads out": (
        fields(STATE, adapters={"../x": ONE}),
        StoreError,
        "adapters",
    ),
    "state of a digest that leads out": (
        fields(STATE, adapters={"sam": {**ONE, "digest": "../" * 21 + "x"}}),
        StoreError,
        "digest",
    ),
    "state of too many": (fields(STATE, adapters=TOO_MANY), StoreError, "is damaged"),
    "version is cut": (content(VERSION, b'{"format_version": 1,'), StoreError, "Remove this file"),
    "version of another name": (fields(VERSION, name="dino"), StoreError, "it holds dino 1"),
    "version of another version": (fields(VERSION, version="2"), StoreError, "it holds sam 2"),
    "version of a file that leads out": (fields(VERSION, file="../x"), StoreError, "file"),
    "version of a hidden file": (fields(VERSION, file=".x"), StoreError, "file"),
    "version of no digest": (fields(VERSION, digest="x"), StoreError, "digest"),
    "version of a size below zero": (fields(VERSION, size=-1), StoreError, "size"),
    "newer version": (fields(VERSION, format_version=7), NewerFormatError, "version 7"),
    "version is a link": (link(VERSION, "/dev/zero"), UnsafePathError, "is a link"),
    "more versions than any store has": (many, StoreError, "more than 4096"),
    "pack is gone": (lambda store: shutil.rmtree(store / "packs"), StoreError, "cannot be read"),
    "pack is cut": (content(PACK, b"x"), DigestError, "changed or damaged"),
    "pack is a link": (link(PACK, "/dev/zero"), StoreError, "cannot be read"),
    "pack is a pipe": (pipe(PACK), StoreError, "cannot be read"),
    "state before is cut": (content("history/00000001.json", b"{"), StoreError, "is damaged"),
    "state before is gone": (
        lambda store: (store / "history" / "00000001.json").unlink(),
        StoreError,
        "no state to go back to",
    ),
}


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_packs(tmp_path_factory.mktemp("packs"))


@pytest.fixture(scope="module")
def sound(packs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which version 1 was active, and 2 is."""
    store = Store.create(tmp_path_factory.mktemp("store") / "store")
    for pack in packs[:2]:
        store.activate("sam", store.add(pack).version)
    return store.folder


@pytest.fixture(scope="module")
def running(packs: list[Path]) -> Iterator[sakedge.Student]:
    path = packs[0].parent / "student.onnx"
    with sakedge.load(path, backend="onnxruntime", threads=1, precision="fp32") as student:
        yield student


@pytest.mark.parametrize("case", CASES)
def test_a_damaged_store_is_refused_and_the_running_student_is_untouched(
    case: str, sound: Path, running: sakedge.Student, tmp_path: Path
) -> None:
    damage, error, message = CASES[case]
    shutil.copytree(sound, tmp_path / "store")
    store = Store.open(tmp_path / "store")
    following = Following(running.adapters, store, every=3600)
    before = running(IMAGE, tasks="edge")
    damage(store.folder)
    with pytest.raises(SakedgeError) as refused:
        _go_over(store.folder)
    assert type(refused.value) is error, refused.value
    assert message in str(refused.value)
    assert isinstance(refused.value, (FileFormatError, StorageError))
    following.look()
    after = running(IMAGE, tasks="edge")
    np.testing.assert_array_equal(after["edge"].values, before["edge"].values)
    assert after.digests == before.digests
    following.close()


def _go_over(folder: Path) -> None:
    """Opens a store, reads all of it, and goes back."""
    store = Store.open(folder)
    for entry in store.entries():
        store.path(entry.digest)
    store.rollback()
