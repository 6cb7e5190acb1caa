"""Several versions of an adapter side by side: a call, or each of its images, names its set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.growth import carbon_pack
from tests.support.pictures import picture, same

import sakedge
from sakedge.backends.onnxruntime.session import OnnxRuntimeSession
from sakedge.errors import (
    AbilityError,
    DigestError,
    OptionError,
    StorageError,
    UnknownAdapterError,
)
from sakedge.format import write_pack

IMAGE, OTHER, LARGE = picture(64, 96), picture(64, 96, 1), picture(150, 200, 2)
EDGE: dict[str, Any] = {"tasks": ["edge"]}


@pytest.fixture
def student(tiny_student: Path) -> Iterator[sakedge.Student]:
    with sakedge.load(tiny_student, backend="onnxruntime", **EDGE) as student:
        yield student


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The batch of each pass of the stem."""
    batches: list[int] = []
    run = OnnxRuntimeSession.run

    def counted(self: OnnxRuntimeSession, images: Any, *more: Any) -> Any:
        batches.append(len(images))
        return run(self, images, *more)

    monkeypatch.setattr(OnnxRuntimeSession, "run", counted)
    return batches


def test_a_version_beside_runs_only_where_it_is_named(
    student: sakedge.Student, tiny_student: Path, packs: list[Path]
) -> None:
    before = student(IMAGE)
    student.adapters.add(packs[0], "sam@line3")
    assert same(student(IMAGE), before, 0)
    assert student.adapters.active == ("dino", "sam")
    assert [(each.name, each.active) for each in student.adapters.list()] == [
        ("dino", True),
        ("sam", True),
        ("sam@line3", False),
    ]
    found = student(IMAGE, adapters=["dino", "sam@line3"])
    with sakedge.load(tiny_student, backend="onnxruntime", **EDGE) as other:
        other.adapters.swap("sam", packs[0])
        assert same(found, other(IMAGE), 0)
        assert found.digests == other(IMAGE).digests
    assert found.adapters == ("dino", "sam@line3")
    student.adapters.remove("sam@line3")
    with pytest.raises(UnknownAdapterError, match="sam@line3"):
        student(IMAGE, adapters=["sam@line3"])


def test_each_image_of_a_batch_names_its_set_and_one_pass_of_the_stem_serves_them(
    student: sakedge.Student, packs: list[Path], passes: list[int]
) -> None:
    student.adapters.add(packs[0], "sam@a")
    student.adapters.add(packs[1], "sam@b")
    sets = [["sam"], ["dino", "sam@a"], ["sam@b"], [], ["sam"]]
    images = [IMAGE] * 4 + [OTHER]
    alone = [student(i, adapters=s) for i, s in zip(images, sets, strict=True)]
    passes.clear()
    together = student(images, adapters=sets)
    assert passes == [1, 1]
    for one, other in zip(together, alone, strict=True):
        assert same(one, other, 0)
        assert one.digests == other.digests
        assert one.adapters == other.adapters


def test_one_pass_over_the_tiles_serves_all_sets(
    student: sakedge.Student, packs: list[Path], passes: list[int]
) -> None:
    student.adapters.add(packs[0], "sam@a")
    sets = [["sam"], ["sam@a"]]
    alone = [student(LARGE, adapters=each, fit="tile") for each in sets]
    tiles = len(passes) // 2
    passes.clear()
    together = student([LARGE, LARGE], adapters=sets, fit="tile")
    assert len(passes) == tiles > 1
    for one, other in zip(together, alone, strict=True):
        assert same(one, other, 0)
        np.testing.assert_array_equal(one.routing["edge"].weights, other.routing["edge"].weights)


def test_a_version_beside_becomes_the_active_one_without_being_read_again(
    student: sakedge.Student, packs: list[Path]
) -> None:
    before = student(IMAGE)
    student.adapters.add(packs[0], "sam@line3")
    named = student(IMAGE, adapters=["dino", "sam@line3"])
    packs[0].unlink()
    student.adapters.activate("sam@line3")
    assert same(student(IMAGE), named, 0)
    assert student(IMAGE).adapters == ("dino", "sam@line3")
    student.adapters.rollback("sam")
    assert same(student(IMAGE), before, 0)


def test_changes_are_rolled_back_one_by_one(student: sakedge.Student, packs: list[Path]) -> None:
    seen = [student(IMAGE)]
    for pack in packs:
        student.adapters.swap("sam", pack)
        seen.append(student(IMAGE))
    student.adapters.remove("sam")
    for expected in seen[::-1]:
        student.adapters.rollback("sam")
        assert same(student(IMAGE), expected, 0)
        assert student(IMAGE).digests == expected.digests
    with pytest.raises(UnknownAdapterError, match="was changed"):
        student.adapters.rollback("sam")


def test_a_rollback_to_what_is_gone_or_changed_is_refused(
    student: sakedge.Student, packs: list[Path]
) -> None:
    for pack in packs:
        student.adapters.swap("sam", pack)
    found = student(IMAGE)
    packs[0].write_bytes(packs[1].read_bytes())
    with pytest.raises(DigestError, match="not the one that was swapped in"):
        student.adapters.rollback("sam")
    packs[0].unlink()
    with pytest.raises(StorageError):
        student.adapters.rollback("sam")
    assert same(student(IMAGE), found, 0)


def test_the_students_own_adapter_comes_back(
    student: sakedge.Student, tiny_student: Path, packs: list[Path], tmp_path: Path
) -> None:
    before = student(IMAGE)
    student.adapters.swap("sam", packs[0])
    student.adapters.restore("sam")
    assert same(student(IMAGE), before, 0)
    pack = carbon_pack(tiny_student, ["edge"])
    write_pack(tmp_path / "carbon.safetensors", pack.manifest, pack.tensors)
    student.adapters.add(tmp_path / "carbon.safetensors")
    student.adapters.restore("carbon")
    assert student.adapters.names == ("dino", "sam")
    assert student(IMAGE).digests == before.digests


def test_two_versions_in_one_set_are_refused(student: sakedge.Student, packs: list[Path]) -> None:
    student.adapters.add(packs[0], "sam@a")
    with pytest.raises(OptionError, match="one version"):
        student(IMAGE, adapters=["sam", "sam@a"])


@pytest.mark.parametrize(
    "name", ["sam@", "@a", "sam@a@b", "sam@a b", "sam/../x", "", "sam@" + "x" * 65, 7]
)
def test_what_is_no_name_is_refused(student: sakedge.Student, packs: list[Path], name: Any) -> None:
    for change in (
        lambda: student.adapters.add(packs[0], name),
        lambda: student.adapters.swap(name, packs[0]),
        lambda: student.adapters.remove(name),
    ):
        with pytest.raises(OptionError, match="by name"):
            change()


def test_the_graph_model_holds_one_version(tiny_student: Path, packs: list[Path]) -> None:
    with sakedge.load(
        tiny_student, backend="onnxruntime", config={"model": "graph"}, **EDGE
    ) as student:
        with pytest.raises(AbilityError, match="one version"):
            student.adapters.add(packs[0], "sam@line3")
        student.adapters.swap("sam", packs[0])
        student.adapters.rollback("sam")
