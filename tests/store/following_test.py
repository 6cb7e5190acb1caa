"""A running student follows a store, and survives whatever the store does."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import sakedge
from sakedge.adapters.following import Following
from sakedge.errors import OptionError
from sakedge.format import read_pack, write_pack
from sakedge.store import Store

IMAGE = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
NEVER = 3600.0
"""Seconds between looks, where a test looks itself."""


@pytest.fixture
def student(packs: list[Path]) -> Iterator[sakedge.Student]:
    path = packs[0].parent / "student.onnx"
    with sakedge.load(path, backend="onnxruntime", threads=1, precision="fp32") as student:
        yield student


def runs(student: sakedge.Student) -> dict[str, str]:
    """Versions of the adapters in a student; empty for one of its own file."""
    return {each.name: each.version for each in student.adapters.list()}


def eventually(condition: Callable[[], bool]) -> None:
    for _ in range(2000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never came about")


def test_what_is_active_runs_once_following_begins(student: sakedge.Student, full: Store) -> None:
    own = student(IMAGE, tasks="edge")["edge"].values
    following = Following(student.adapters, full, every=NEVER)
    assert runs(student) == {"sam": "3", "dino": ""}
    assert not np.array_equal(student(IMAGE, tasks="edge")["edge"].values, own)
    full.activate("sam", "1")
    full.activate("sam@line3", "2")
    following.look()
    assert runs(student) == {"sam": "1", "dino": "", "sam@line3": "2"}
    full.deactivate("sam")
    full.rollback("sam@line3")
    following.look()
    assert runs(student) == {"sam": "", "dino": ""}
    np.testing.assert_array_equal(student(IMAGE, tasks="edge")["edge"].values, own)
    following.close()


def test_a_thread_looks_without_being_asked(student: sakedge.Student, full: Store) -> None:
    following = Following(student.adapters, full, every=0.01)
    full.activate("sam", "1")
    eventually(lambda: runs(student)["sam"] == "1")
    following.close()
    full.activate("sam", "2")
    time.sleep(0.1)
    assert runs(student)["sam"] == "1"


def test_a_pack_that_does_not_fit_is_refused_once_and_the_rest_is_exchanged(
    student: sakedge.Student, full: Store, packs: list[Path], tmp_path: Path
) -> None:
    pack = read_pack(packs[0])
    manifest = pack.manifest.model_copy(update={"stem_lineage": "0" * 64, "version": "alien"})
    write_pack(tmp_path / "alien.safetensors", manifest, pack.tensors)
    full.add(tmp_path / "alien.safetensors")
    following = Following(student.adapters, full, every=NEVER)
    full.activate("sam", "alien")
    full.activate("sam@line3", "2")
    following.look()
    assert runs(student) == {"sam": "3", "dino": "", "sam@line3": "2"}
    assert list(following.refused) == ["sam"]
    assert "another stem" in following.refused["sam"]
    (said,) = full.running()
    assert "another stem" in said.refused["sam"]
    full.rollback("sam")
    following.look()
    assert following.refused == {}
    assert full.running()[0].refused == {}
    following.close()


def test_a_store_that_cannot_be_read_changes_nothing_and_comes_back(
    student: sakedge.Student, full: Store, caplog: pytest.LogCaptureFixture
) -> None:
    following = Following(student.adapters, full, every=NEVER)
    state = full.folder / "active.json"
    sound = state.read_bytes()
    for content in (b"", b"{", sound.replace(b"sam", b"../"), b"[" * 100_000):
        state.write_bytes(content)
        following.look()
        following.look()
        assert "is damaged" in following.problem
        assert runs(student)["sam"] == "3"
    state.unlink()
    following.look()
    assert "cannot read" in following.problem
    state.write_bytes(sound)
    full.activate("sam", "1")
    following.look()
    assert following.problem == ""
    assert runs(student)["sam"] == "1"
    assert len([each for each in caplog.records if "cannot follow" in each.message]) <= 5
    following.close()


def test_a_damaged_pack_is_refused_and_the_one_before_goes_on(
    student: sakedge.Student, full: Store
) -> None:
    following = Following(student.adapters, full, every=NEVER)
    full.activate("sam", "1")
    full.path(full.state().active["sam"]).write_bytes(b"no pack")
    following.look()
    assert "was changed or damaged" in following.refused["sam"]
    assert runs(student)["sam"] == "3"
    following.close()


def test_a_process_says_what_it_runs_as_long_as_it_follows(
    student: sakedge.Student, full: Store
) -> None:
    following = Following(student.adapters, full, every=NEVER)
    (said,) = full.running()
    assert said.pid == os.getpid()
    assert said.student == student(IMAGE, tasks="edge").student
    tensors = {each.version: each.tensors for each in full.entries()}
    assert said.adapters["sam"] == tensors["3"]
    student.adapters.remove("sam")
    following.look()
    assert "sam" not in full.running()[0].adapters
    (file,) = (full.folder / "running").iterdir()
    assert json.loads(file.read_text())["pid"] == os.getpid()
    Store.open(full.folder)
    assert file.exists()
    following.close()
    assert not file.exists()


def test_following_ends_with_its_student(packs: list[Path], full: Store) -> None:
    student = sakedge.load(packs[0].parent / "student.onnx", backend="onnxruntime", threads=1)
    Following(student.adapters, full, every=0.01)
    student.close()
    eventually(lambda: full.running() == ())


@pytest.mark.parametrize("every", [0, -1, float("nan"), None, "1"])
def test_a_time_between_looks_that_is_none_is_refused(
    student: sakedge.Student, full: Store, every: float
) -> None:
    with pytest.raises(OptionError, match="every"):
        Following(student.adapters, full, every=every)
