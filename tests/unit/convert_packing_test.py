"""Packs of one adapter out of an official checkpoint, for students old and new."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.int8 import quantised_student
from tools.checkpoint import load_state, make_checkpoint, save_state

from sakedge.convert import convert, pack_adapter
from sakedge.errors import AdapterMismatchError, OptionError, UnknownNameError
from sakedge.format import PartPack, StudentFile, extract_part, read_pack

TINY: dict[str, Any] = {"width": 48, "blocks": 4, "attention_heads": 3}
State = dict[str, NDArray[Any]]
TASKS = ("defects", "edge", "sal", "normals", "height")


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A checkpoint with the teachers dino and sam."""
    return make_checkpoint(tmp_path_factory.mktemp("older"), **TINY)


@pytest.fixture(scope="module")
def student(older: tuple[Path, Path]) -> Path:
    path = older[0].with_name("student.onnx")
    convert(*older, path)
    return path


@pytest.fixture(scope="module")
def grown(older: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same training with a third teacher, clip, before the others; nothing else changed."""
    folder = tmp_path_factory.mktemp("grown")
    pair = make_checkpoint(folder, **TINY, teachers=("clip", "dino", "sam"), seed=5)
    _keep(pair, older, lambda name: True)
    return pair


def _keep(pair: tuple[Path, Path], older: tuple[Path, Path], which: Callable[[str], bool]) -> None:
    """Puts the older checkpoint's tensors into a grown one, in the places of their experts."""
    before, after = load_state(older[0]), load_state(pair[0])
    for name, value in before.items():
        if not which(name):
            continue
        if after[name].shape == value.shape:
            after[name] = value
        else:  # a gate: rows for stem, dino, sam, and then their noise
            rows = after[name].copy()
            rows[[0, 2, 3]], rows[[4, 6, 7]] = value[:3], value[3:]
            after[name] = rows
    save_state(pair[0], after)


def _packed(pair: tuple[Path, Path], folder: Path, **options: Any) -> PartPack:
    out = folder / "pack.safetensors"
    made = pack_adapter(*pair, out, **{"teacher": "clip", **options})
    read = read_pack(out)
    assert read.manifest == made.manifest and made.bytes == out.stat().st_size
    return read


@pytest.mark.parametrize("storage", ["fp32", "fp16", "int8"])
def test_the_pack_is_the_adapter_that_a_converted_student_has(
    older: tuple[Path, Path], student: Path, tmp_path: Path, storage: Any
) -> None:
    found = _packed(older, tmp_path, teacher="sam", storage=storage, version="7")
    with StudentFile.open(student) as file:
        assert (
            found.manifest
            == extract_part(file, "adapters.sam", version="7", storage=storage).manifest
        )
        found.check_fits(file.manifest)


def test_a_teacher_that_the_student_has_brings_no_columns(
    older: tuple[Path, Path], student: Path, tmp_path: Path
) -> None:
    found = _packed(older, tmp_path, teacher="sam", student=student)
    assert found.manifest.routed_tasks == () and found.manifest.experts is None


@pytest.mark.parametrize("stored", ["fp32", "int8"])
def test_a_new_teacher_brings_its_column_for_each_task(
    stored: str, grown: tuple[Path, Path], student: Path, tmp_path: Path
) -> None:
    target = student
    if stored == "int8":  # the untouched columns are compared as that student stores them
        target = quantised_student(student, tmp_path / "int8.onnx")
    found = _packed(grown, tmp_path, student=target)
    assert found.manifest.routed_tasks == TASKS
    assert found.manifest.teacher == "clip_base" and found.manifest.requires == ()
    gates = load_state(grown[0])
    for level in found.manifest.levels:
        official = f"backbone.mor.{level}_edge.router.module.3"
        column = found.tensors[f"mor.{level}.edge.gate.weight"]
        assert np.array_equal(column, gates[f"{official}.weight"][1:2].T)
        bias = found.tensors[f"mor.{level}.edge.gate.bias"]
        assert np.array_equal(bias, gates[f"{official}.bias"][1:2])


def test_only_tasks_of_both_get_a_column(
    older: tuple[Path, Path], student: Path, tmp_path: Path
) -> None:
    pair = make_checkpoint(
        tmp_path, **TINY, teachers=("clip", "dino", "sam"), tasks=("sal", "edge"), seed=5
    )
    both = {"heads.edge.", "heads.sal.", "_edge.", "_sal.", "backbone.vit", "backbone.tsap"}
    _keep(pair, older, lambda name: any(part in name for part in both))
    assert _packed(pair, tmp_path, student=student).manifest.routed_tasks == ("edge", "sal")


def test_routers_that_were_trained_too_are_taken_whole_or_not_at_all(
    grown: tuple[Path, Path], student: Path, tmp_path: Path
) -> None:
    pair = tmp_path / "checkpoint.pth", grown[1]
    state = load_state(grown[0])
    state["backbone.mor.3_edge.router.module.0.weight"][0, 0] += 0.5
    save_state(pair[0], state)
    with pytest.raises(AdapterMismatchError, match=r"mor\.3\.edge\.hidden.*--routers"):
        _packed(pair, tmp_path, student=student)
    assert not (tmp_path / "pack.safetensors").exists()
    found = _packed(pair, tmp_path, student=student, routers=True)
    assert found.manifest.retrained_tasks == TASKS
    assert found.manifest.requires == ("routers",)
    # In the student's order of the experts, the new one last, whatever the training's was.
    assert found.manifest.experts == ("dino", "sam", "clip")
    gate = state["backbone.mor.3_edge.router.module.3.weight"]
    assert np.array_equal(found.tensors["mor.3.edge.gate.weight"], gate[[0, 2, 3, 1]].T)


def test_whole_routers_in_int8_require_both(grown: tuple[Path, Path], tmp_path: Path) -> None:
    found = _packed(grown, tmp_path, routers=True, storage="int8")
    assert found.manifest.requires == ("int8", "routers")
    assert found.manifest.experts == ("clip", "dino", "sam")
    assert found.tensors["mor.0.edge.hidden.weight"].dtype == np.int8
    assert found.tensors["mor.0.edge.gate.weight"].dtype == np.float32


def test_routers_that_do_not_weigh_what_the_student_has_are_refused(
    student: Path, tmp_path: Path, older: tuple[Path, Path]
) -> None:
    pair = make_checkpoint(tmp_path, **TINY, teachers=("clip", "dino"), seed=5)
    _keep(pair, older, lambda name: name.startswith("backbone.vit"))
    with pytest.raises(AdapterMismatchError, match="do not weigh adapter sam"):
        _packed(pair, tmp_path, student=student, routers=True)


def test_another_stem_is_refused_unless_allowed(student: Path, tmp_path: Path) -> None:
    pair = make_checkpoint(tmp_path, **TINY, seed=9)
    with pytest.raises(AdapterMismatchError, match="another stem"):
        _packed(pair, tmp_path, teacher="sam", student=student)
    _packed(pair, tmp_path, teacher="sam", student=student, any_stem=True)


def test_the_lineage_is_that_at_the_student_s_input_size(
    older: tuple[Path, Path], tmp_path: Path
) -> None:
    convert(*older, tmp_path / "larger.onnx", size=(96, 96))
    found = _packed(older, tmp_path, teacher="sam", student=tmp_path / "larger.onnx")
    with StudentFile.open(tmp_path / "larger.onnx") as file:
        assert found.manifest.stem_lineage == file.manifest.stem_lineage
    assert (
        found.manifest.stem_lineage != _packed(older, tmp_path, teacher="sam").manifest.stem_lineage
    )


def test_an_unknown_teacher_lists_those_of_the_training(
    older: tuple[Path, Path], tmp_path: Path
) -> None:
    with pytest.raises(UnknownNameError, match=r"'clip'; expected one of dino, sam"):
        _packed(older, tmp_path)
    with pytest.raises(UnknownNameError, match=r"one of dino, sam"):
        _packed(older, tmp_path, teacher=["sam"])
    with pytest.raises(OptionError, match="storage"):
        _packed(older, tmp_path, teacher="sam", storage="bf16")
    with pytest.raises(OptionError, match="overwrite the input"):
        pack_adapter(*older, older[0], teacher="sam")
