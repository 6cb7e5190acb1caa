"""The cache of compiled stems: hits give the same numbers, damage only costs time."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from tests.support.files import without_rights

from sakedge.backends import cache, registry
from sakedge.backends.base import CompileOptions, Session
from sakedge.format import StudentFile, Subgraph


@pytest.fixture(scope="module")
def stem(tiny_student: Path) -> Iterator[Subgraph]:
    with StudentFile.open(str(tiny_student)) as file:
        yield file.stem()


def compiled(
    stem: Subgraph, folder: Path | None, config: Mapping[str, Any] | None = None
) -> Session:
    options = CompileOptions(threads=1, cache_dir=folder, config=config or {})
    return registry.get("openvino").compile(stem, options)


def entries(folder: Path) -> list[Path]:
    return sorted((folder / "openvino").glob("*"))


def assert_same(one: Session, other: Session, stem: Subgraph) -> None:
    inputs = np.random.default_rng(0).standard_normal((1, 3, *stem.input_size), np.float32)
    for ours, theirs in zip(one.run(inputs), other.run(inputs), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_second_start_is_a_hit_with_the_same_outputs(stem: Subgraph, tmp_path: Path) -> None:
    first = compiled(stem, tmp_path)
    second = compiled(stem, tmp_path)
    assert (first.details["cache"], second.details["cache"]) == ("stored", "hit")
    assert len(entries(tmp_path)) == 1
    assert_same(first, second, stem)


def test_without_a_folder_nothing_is_kept(stem: Subgraph) -> None:
    assert compiled(stem, None).details["cache"] == "off"


def test_other_weights_or_options_are_another_entry(stem: Subgraph, tmp_path: Path) -> None:
    compiled(stem, tmp_path)
    for other in (
        compiled(replace(stem, digest="0" * 64), tmp_path),
        compiled(stem, tmp_path, {"ENABLE_CPU_PINNING": True}),
    ):
        assert other.details["cache"] == "stored"
    assert len(entries(tmp_path)) == 3


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:20],
        lambda data: data[:-1],
        lambda data: b"something else altogether" * 100,
        lambda data: data[:5000] + bytes([data[5000] ^ 1]) + data[5001:],
    ],
    ids=["empty", "header only", "cut", "foreign", "one bit"],
)
def test_a_damaged_entry_is_replaced(
    stem: Subgraph, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    first = compiled(stem, tmp_path)
    (entry,) = entries(tmp_path)
    sound = entry.read_bytes()
    entry.write_bytes(damage(sound))
    again = compiled(stem, tmp_path)
    assert again.details["cache"] == "stored"
    assert compiled(stem, tmp_path).details["cache"] == "hit"
    assert_same(first, again, stem)


def test_a_sound_entry_that_openvino_refuses_is_replaced(stem: Subgraph, tmp_path: Path) -> None:
    compiled(stem, tmp_path)
    (entry,) = entries(tmp_path)
    assert cache.store(entry.parent, entry.stem, b"a blob of some other OpenVINO") is None
    assert compiled(stem, tmp_path).details["cache"] == "stored"
    assert compiled(stem, tmp_path).details["cache"] == "hit"


def test_a_folder_without_rights_costs_only_time(stem: Subgraph, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    with without_rights(folder):
        session = compiled(stem, folder)
    assert session.details["cache"].startswith("none: ")
    assert session.run(np.zeros((1, 3, *stem.input_size), np.float32))


def test_a_file_where_the_folder_should_be_costs_only_time(stem: Subgraph, tmp_path: Path) -> None:
    file = tmp_path / "cache"
    file.touch()
    assert compiled(stem, file).details["cache"].startswith("none: ")


def test_the_least_recently_used_entries_go(tmp_path: Path) -> None:
    for i in range(cache.KEPT):
        assert cache.store(tmp_path, f"{i}", b"blob") is None
        os.utime(tmp_path / f"{i}.blob", (i, i))
    assert cache.load(tmp_path, "0") is not None  # used: now the most recent
    cache.store(tmp_path, "new", b"blob")
    left = {entry.stem for entry in tmp_path.iterdir()}
    assert left == {"new", "0", *(str(i) for i in range(2, cache.KEPT))}


def test_a_large_stem_is_not_cached_on_a_cpu(
    stem: Subgraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sakedge.backends.openvino.blobs.CPU_LIMIT", 1000)
    assert "faster than reading a cache" in compiled(stem, tmp_path).details["cache"]
    assert not entries(tmp_path)


def test_an_entry_is_only_read_under_its_own_name(tmp_path: Path) -> None:
    cache.store(tmp_path, "one", b"blob")
    (tmp_path / "one.blob").rename(tmp_path / "other.blob")
    assert cache.load(tmp_path, "other") is None


@pytest.mark.parametrize("name", ["\0", "\ud800", "x" * 5000], ids=["NUL", "surrogate", "long"])
def test_a_folder_that_no_system_can_have_costs_only_time(
    stem: Subgraph, tmp_path: Path, name: str
) -> None:
    assert compiled(stem, tmp_path / name).details["cache"].startswith("none: ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_costs_only_time(
    stem: Subgraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, *arguments: object) -> BinaryIO:
        os.close(descriptor)
        return open("/dev/full", "wb")  # noqa: PTH123

    monkeypatch.setattr(os, "fdopen", full)
    session = compiled(stem, tmp_path)
    assert re.match(r"none: cannot write .*: No space left", session.details["cache"])
    assert entries(tmp_path) == []


def test_why_there_is_no_cache_is_told(stem: Subgraph) -> None:
    options = CompileOptions(threads=1, cache_off="off: no home folder")
    session = registry.get("openvino").compile(stem, options)
    assert session.details["cache"] == "off: no home folder"
