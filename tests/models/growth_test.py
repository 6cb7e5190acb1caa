"""A student that meets a teacher which it has not seen: it grows by an expert, while running."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.growth import carbon_pack, retrained, router_tensors
from tests.support.pictures import picture, same
from tools.checkpoint import make_checkpoint

import sakedge
from sakedge.convert import convert
from sakedge.errors import AdapterMismatchError, UnknownAdapterError
from sakedge.format import PartPack, StudentFile, write_pack, write_student

Load = Callable[..., sakedge.Student]
IMAGE = picture(64, 96)
ROUTED, OTHERS = ("edge",), ("defects", "height")
TASKS: dict[str, Any] = {"tasks": ["defects", "edge", "height"]}


@pytest.fixture(scope="module")
def carbon(tiny_student: Path) -> PartPack:
    """An adapter of a new teacher, with a column for the routers of `edge` alone."""
    return carbon_pack(tiny_student, ROUTED)


def _written(folder: Path, pack: PartPack) -> Path:
    path = folder / f"{pack.manifest.name}.safetensors"
    write_pack(path, pack.manifest, pack.tensors)
    return path


def _grown_file(tiny_student: Path, path: Path, pack: PartPack) -> Path:
    """The student that had been trained with all three: each router has a column for each."""
    with StudentFile.open(tiny_student) as file:
        manifest = file.manifest
        parts: dict[str, Mapping[str, Any]] = {
            name: file.component(name) for name in manifest.components
        }
    own = {k: v for k, v in pack.tensors.items() if not k.startswith("mor.")}
    adapter = manifest.adapters[-1].model_copy(
        update={"name": pack.manifest.name, "teacher": pack.manifest.teacher}
    )
    for task in manifest.task_names:
        parts[f"routers.{task}"] = {
            name: np.concatenate([tensor, _column(pack, name, tensor)], axis=-1)
            if ".gate." in name
            else tensor
            for name, tensor in parts[f"routers.{task}"].items()
        }
    parts[f"adapters.{pack.manifest.name}"] = own
    whole = manifest.model_copy(update={"adapters": (*manifest.adapters, adapter)})
    write_student(path, whole, parts)
    return path


def _column(pack: PartPack, name: str, tensor: Any) -> Any:
    absent = np.full_like(tensor[..., :1], -65504 if name.endswith("bias") else 0)
    return pack.tensors.get(name, absent)


def test_a_grown_student_is_the_one_that_had_all_adapters_from_the_start(
    load: Load, tiny_student: Path, tmp_path: Path, carbon: PartPack
) -> None:
    grown_file = _grown_file(tiny_student, tmp_path / "grown.onnx", carbon)
    with load(**TASKS) as student, load(grown_file, **TASKS) as whole:
        student.adapters.add(_written(tmp_path, carbon))
        assert student.adapters.names == ("dino", "sam", "carbon")
        ours, theirs = student(IMAGE), whole(IMAGE)
        assert same(ours, theirs, 0)
        assert ours.routing["edge"].experts == ("stem", "dino", "sam", "carbon")
        for task, routing in theirs.routing.items():
            assert np.array_equal(ours.routing[task].weights, routing.weights)
        assert ours.routing["edge"].weights[:, 3].all()
        some: dict[str, Any] = {"adapters": ["carbon", "dino"]}
        assert same(student(IMAGE, **some), whole(IMAGE, **some), 0)


def test_tasks_without_a_column_stay_as_they_are_to_the_bit(
    load: Load, tmp_path: Path, carbon: PartPack
) -> None:
    with load(**TASKS) as student:
        before = student(IMAGE)
        student.adapters.add(_written(tmp_path, carbon))
        after = student(IMAGE)
        for task in OTHERS:
            assert np.array_equal(after[task].values, before[task].values)
            assert not after.routing[task].weights[:, 3].any()
            router = f"routers.{task}"
            assert after.digests[router] == before.digests[router]
        assert not np.array_equal(after["edge"].values, before["edge"].values)
        assert after.digests["routers.edge"] != before.digests["routers.edge"]
        student.adapters.remove("carbon")
        assert student.adapters.names == ("dino", "sam")
        assert same(student(IMAGE), before, 0)
        assert student(IMAGE).digests == before.digests


def test_two_new_teachers_each_keep_their_own_column(
    load: Load, tiny_student: Path, tmp_path: Path, carbon: PartPack
) -> None:
    weld = carbon_pack(tiny_student, ("defects",), name="weld", factor=3.0)
    paths = [_written(tmp_path, pack) for pack in (carbon, weld)]
    with load(**TASKS) as one, load(**TASKS) as other:
        for path in paths:
            one.adapters.add(path)
        for path in paths[::-1]:
            other.adapters.add(path)
        assert one.adapters.names == ("dino", "sam", "carbon", "weld")
        assert other.adapters.names == ("dino", "sam", "weld", "carbon")
        assert same(one(IMAGE), other(IMAGE))
        one.adapters.remove("carbon")
        assert one.adapters.names == ("dino", "sam", "weld")
        other.adapters.remove("carbon")
        assert same(one(IMAGE), other(IMAGE), 0)


def test_routers_that_were_trained_with_an_adapter_come_and_go_with_it(
    load: Load, tiny_student: Path, tmp_path: Path, carbon: PartPack
) -> None:
    pack = retrained(carbon, tiny_student, "edge")
    with load(**TASKS) as student:
        before = student(IMAGE)
        student.adapters.add(_written(tmp_path, pack))
        after = student(IMAGE)
        routers = router_tensors(pack, "edge")
        assert after.digests["routers.edge"] not in before.digests.values()
        assert len(routers) == 6 * len(pack.manifest.levels)
        assert not np.array_equal(after["edge"].values, before["edge"].values)
        for task in OTHERS:
            assert np.array_equal(after[task].values, before[task].values)
        # A call without the adapter is not weighed by what was trained with it, unless the routers
        # are constants of a graph; and what it was weighed by is what the result names.
        narrowed = student(IMAGE, adapters=["dino", "sam"])
        if student.explain().model == "host":
            assert same(narrowed, before, 0)
        expected = before if student.explain().model == "host" else after
        assert narrowed.digests["routers.edge"] == expected.digests["routers.edge"]
        student.adapters.remove("carbon")
        assert same(student(IMAGE), before, 0)


def test_a_grown_student_is_pickled_with_its_new_expert(
    load: Load, tmp_path: Path, carbon: PartPack
) -> None:
    with load(tasks=["edge"]) as student:
        student.adapters.add(_written(tmp_path, carbon), "carbon2")
        with pickle.loads(pickle.dumps(student)) as again:
            assert again.adapters.names == ("dino", "sam", "carbon2")
            assert same(again(IMAGE), student(IMAGE), 0)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"routed_tasks": ()}, "no router would weigh carbon"),
        ({"routed_tasks": ("edge", "parts")}, "tasks that the student does not have.*parts"),
    ],
)
def test_what_no_router_would_weigh_is_refused(
    load: Load, tiny_student: Path, tmp_path: Path, change: dict[str, Any], problem: str
) -> None:
    pack = carbon_pack(tiny_student, change["routed_tasks"])
    with load(tasks=["edge"]) as student:
        before = student(IMAGE)
        with pytest.raises(AdapterMismatchError, match=problem):
            student.adapters.add(_written(tmp_path, pack))
        assert student.adapters.names == ("dino", "sam")
        assert same(student(IMAGE), before, 0)


def test_a_student_without_routers_cannot_grow(tmp_path: Path, carbon: PartPack) -> None:
    student_file = tmp_path / "student.onnx"
    sizes: dict[str, Any] = {"width": 48, "blocks": 4, "attention_heads": 3, "router": "none"}
    convert(*make_checkpoint(tmp_path, **sizes), student_file)
    plain = replace(
        carbon,
        manifest=carbon.manifest.model_copy(update={"routed_tasks": ()}),
        tensors={k: v for k, v in carbon.tensors.items() if not k.startswith("mor.")},
    )
    with sakedge.load(student_file, backend="onnxruntime") as student:
        for pack in (carbon, plain):
            with pytest.raises(AdapterMismatchError, match="router"):
                student.adapters.add(_written(tmp_path, pack), any_stem=True)


def test_a_name_that_is_there_or_that_is_not_is_refused(
    load: Load, tmp_path: Path, carbon: PartPack
) -> None:
    path = _written(tmp_path, carbon)
    with load(tasks=["edge"]) as student:
        with pytest.raises(UnknownAdapterError, match="carbon"):
            student.adapters.swap("carbon", path)
        student.adapters.add(path)
        with pytest.raises(AdapterMismatchError, match="already"):
            student.adapters.add(path)
        student.adapters.swap("carbon", path)  # which is now a slot like any other
