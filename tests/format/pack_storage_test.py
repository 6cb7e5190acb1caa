"""Packs in fp32, fp16 and int8, and the students that they go to."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

import sakedge
from sakedge.errors import ManifestError, OptionError, TensorError
from sakedge.format import PartManifest, PartPack, StudentFile, extract_part, read_pack, write_pack
from sakedge.format.digest import component_digest
from sakedge.format.schema import METADATA_KEY
from sakedge.format.student.int8 import MOST, as_floats, quantised
from sakedge.format.student.parts import Stored

PIXELS = np.random.default_rng(2).integers(0, 256, (64, 96, 3), np.uint8)
WEIGHT = "tsap.sam.0.down.weight"


def _part(student: Path, component: str = "adapters.sam", storage: Any = None) -> PartPack:
    with StudentFile.open(student) as file:
        return extract_part(file, component, storage=storage)


def _written(part: PartPack, path: Path) -> Path:
    write_pack(path, part.manifest, part.tensors)
    return path


def _logits(student: Path, pack: Path | None, precision: str) -> dict[str, NDArray[Any]]:
    with sakedge.load(student, precision=precision, backend="onnxruntime") as loaded:
        if pack is not None:
            loaded.adapters.swap("sam", pack)
        result = loaded(PIXELS, logits=True)
        return {task: result[task].logits for task in result.tasks}  # type: ignore[misc]


@pytest.mark.parametrize("student", ["tiny_student", "int8_student"])
@pytest.mark.parametrize("component", ["adapters.sam", "routers.edge", "heads.defects"])
@pytest.mark.parametrize("storage", get_args(Stored))
def test_a_pack_of_any_storage_survives_the_file(
    student: str, component: str, storage: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    part = _part(request.getfixturevalue(student), component, storage)
    read = read_pack(_written(part, tmp_path / "part.safetensors"))
    assert read.manifest == part.manifest and read.manifest.storage == storage
    assert read.manifest.requires == (("int8",) if storage == "int8" else ())
    for name, tensor in part.tensors.items():
        assert read.tensors[name].dtype == tensor.dtype
        assert np.array_equal(read.tensors[name], tensor)


@pytest.mark.parametrize("student", ["tiny_student", "int8_student"])
def test_a_part_is_extracted_as_the_student_has_it(
    student: str, request: pytest.FixtureRequest
) -> None:
    path = request.getfixturevalue(student)
    with StudentFile.open(path) as file:
        for component in ("adapters.sam", "routers.edge", "heads.normals"):
            part = extract_part(file, component)
            assert part.manifest.digest == file.manifest.digests[component]
            assert part.manifest.storage == file.manifest.storage.of(component)


def test_what_an_int8_student_keeps_in_floats_is_extracted_in_floats(
    tiny_student: Path, tmp_path: Path
) -> None:
    from tests.support.int8 import quantised_student

    mixed = quantised_student(tiny_student, tmp_path / "mixed.onnx", floats=["adapters.sam"])
    part, original = _part(mixed), _part(tiny_student)
    assert part.manifest.storage == "fp32" and part.manifest.requires == ()
    assert part.manifest.digest == original.manifest.digest


def test_float_weights_are_quantised_as_a_student_is(
    tiny_student: Path, int8_student: Path
) -> None:
    part = _part(tiny_student, storage="int8")
    assert part.manifest.digest == _part(int8_student).manifest.digest
    cells = quantised(WEIGHT, _part(tiny_student).tensors[WEIGHT], MOST)
    assert np.array_equal(part.tensors[WEIGHT], cells[WEIGHT])


def test_an_int8_pack_goes_back_into_its_student_without_rounding(
    int8_student: Path, tmp_path: Path
) -> None:
    pack = _written(_part(int8_student), tmp_path / "sam.safetensors")
    for precision in ("int8", "fp32"):
        before, after = (_logits(int8_student, each, precision) for each in (None, pack))
        assert all(np.array_equal(before[task], after[task]) for task in before)


def test_an_int8_pack_in_a_float_student_is_what_its_integers_stand_for(
    tiny_student: Path, tmp_path: Path
) -> None:
    part = _part(tiny_student, storage="int8")
    pack = _written(part, tmp_path / "int8.safetensors")
    floats = _part(tiny_student).manifest, as_floats(part.tensors)
    write_pack(tmp_path / "floats.safetensors", *floats)
    one = _logits(tiny_student, pack, "fp32")
    other = _logits(tiny_student, tmp_path / "floats.safetensors", "fp32")
    assert all(np.array_equal(one[task], other[task]) for task in one)


def test_a_pack_without_a_storage_may_mix_floats(tiny_student: Path, tmp_path: Path) -> None:
    part = _part(tiny_student)
    tensors = dict(part.tensors) | {WEIGHT: part.tensors[WEIGHT].astype(np.float16)}
    older = part.manifest.model_dump(mode="json", exclude={"storage"})
    older["digest"] = component_digest(tensors)
    manifest = PartManifest.model_validate(older)
    path = tmp_path / "older.safetensors"
    save_file(tensors, path, {METADATA_KEY: manifest.model_dump_json(exclude={"storage"})})
    assert read_pack(path).tensors[WEIGHT].dtype == np.float16


@pytest.mark.parametrize(
    "edit",
    [
        {"storage": "int8"},
        {"requires": ("int8",)},
        {"storage": None, "requires": ("int8",)},
    ],
)
def test_a_storage_that_contradicts_the_features_is_refused(
    tiny_student: Path, tmp_path: Path, edit: dict[str, Any]
) -> None:
    part = _part(tiny_student)
    with pytest.raises(ManifestError, match="where, and only where"):
        write_pack(tmp_path / "x", part.manifest.model_copy(update=edit), part.tensors)


@pytest.mark.parametrize("storage", ["fp16", "int8"])
def test_tensors_of_another_storage_than_stated_are_refused(
    tiny_student: Path, tmp_path: Path, storage: str
) -> None:
    floats, part = _part(tiny_student), _part(tiny_student, storage=storage)
    with pytest.raises(TensorError, match=r"contradicts|lacks tensor"):
        write_pack(tmp_path / "x", part.manifest, floats.tensors)
    with pytest.raises(TensorError, match=r"contradicts|surplus tensor"):
        write_pack(tmp_path / "x", floats.manifest, part.tensors)


@pytest.mark.parametrize(
    ("tensor", "value", "reason"),
    [
        (WEIGHT, -128, "holds -128"),
        (f"{WEIGHT}.scale", 0.0, "no scale"),
        (f"{WEIGHT}.scale", -1.0, "no scale"),
        (f"{WEIGHT}.scale", np.nan, "NaN"),
    ],
)
def test_integers_and_scales_that_are_none_are_refused(
    tiny_student: Path, tmp_path: Path, tensor: str, value: float, reason: str
) -> None:
    part = _part(tiny_student, storage="int8")
    spoilt = part.tensors[tensor].copy()
    spoilt.reshape(-1)[0] = value
    with pytest.raises(TensorError, match=reason):
        write_pack(tmp_path / "x", part.manifest, {**part.tensors, tensor: spoilt})


def test_weights_beyond_float16_are_not_stored_in_it(tiny_student: Path, tmp_path: Path) -> None:
    from sakedge.format.student.int8 import stored_as

    large = {"heads.edge.last.bias": np.array([7e4], np.float32)}
    with pytest.raises(TensorError, match="does not fit in fp16"):
        stored_as(large, "fp16")
    assert stored_as(large, "fp32")["heads.edge.last.bias"] == np.float32(7e4)


def test_writing_keeps_every_field(tiny_student: Path, tmp_path: Path) -> None:
    part = _part(tiny_student, storage="int8")
    router = _part(tiny_student, "routers.edge", "int8")
    fields = part.manifest.model_dump(mode="json") | {
        "requires": ["int8", "routers"],
        "retrained_tasks": ["edge"],
        "experts": ["dino", "sam"],
        "of_tomorrow": {"deep": [1, 2.5, None]},
    }
    tensors = {**part.tensors, **router.tensors}
    written = write_pack(tmp_path / "x", PartManifest.model_validate(fields), tensors)
    fields["digest"] = component_digest(tensors)
    assert written.model_dump(mode="json") == fields
    assert read_pack(tmp_path / "x").manifest.model_dump(mode="json") == fields


@pytest.mark.parametrize(
    "option", [{"storage": "fp7"}, {"storage": 3}, {"version": "x" * 257}, {"version": None}]
)
def test_a_version_and_a_storage_that_are_none_are_refused(
    tiny_student: Path, option: dict[str, Any]
) -> None:
    with (
        StudentFile.open(tiny_student) as file,
        pytest.raises(OptionError, match=r"storage|version"),
    ):
        extract_part(file, "adapters.sam", **option)
