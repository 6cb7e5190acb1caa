"""Numbers that no weight, constant or manifest may hold, though the digests are right."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper
from tests.support.files import edit_model, sign_graph

from sakedge.errors import ManifestError, TensorError
from sakedge.format import (
    PartPack,
    StudentFile,
    extract_part,
    read_pack,
    write_pack,
    write_student,
)
from sakedge.format.digest import component_digest
from sakedge.format.pack.safetensors import write_safetensors
from sakedge.format.schema import METADATA_KEY
from sakedge.format.values import LARGEST, LARGEST_IN_HEAD, largest_magnitude

BIAS = "heads.edge.last.bias"


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_the_largest_magnitude_is_found_wherever_it_is(dtype: str) -> None:
    rng = np.random.default_rng(0)
    values = rng.uniform(-1, 1, 200_001).astype(dtype)
    for at in (0, 65_535, 65_536, 200_000):
        for worst in (7.0, -7.0, np.inf, -np.inf):
            spoilt = values.copy()
            spoilt[at] = worst
            assert largest_magnitude(spoilt) == abs(worst)
        for nan in (np.nan, -np.nan):
            spoilt = values.copy()
            spoilt[at], spoilt[at // 2] = nan, np.inf
            assert np.isnan(largest_magnitude(spoilt if at else np.full(1, nan, dtype)))
    assert largest_magnitude(np.zeros((2, 3), dtype)) == 0
    assert largest_magnitude(np.full(1, -0.0, dtype)) == 0
    smallest = np.full(1, np.finfo(dtype).smallest_subnormal)
    assert largest_magnitude(smallest) == smallest[0]


def _signed(source: Path, target: Path, tensor: str, component: str, value: float) -> Path:
    """A student one of whose weights has another value, with the right digest."""

    def spoil(model: Any) -> None:
        stored = next(each for each in model.graph.initializer if each.name == tensor)
        values = onnx.numpy_helper.to_array(stored).copy()
        values.reshape(-1)[-1] = value
        stored.raw_data = values.tobytes()
        entry = next(entry for entry in model.metadata_props if entry.key == METADATA_KEY)
        manifest = json.loads(entry.value)
        with StudentFile.open(source) as file:
            tensors = {**file.component(component), tensor: values}
        manifest["digests"][component] = component_digest(tensors)
        if component == "stem":
            manifest["stem_lineage"] = manifest["digests"]["stem"]
        entry.value = json.dumps(manifest)

    return edit_model(source, target, spoil)


@pytest.mark.parametrize(
    ("tensor", "component"),
    [
        ("stem.pos_embed", "stem"),
        ("stem.blocks.1.mlp.fc1.weight", "stem"),
        ("tsap.sam.0.up.weight", "adapters.sam"),
        ("norms.3.sam.bias", "adapters.sam"),
        ("mor.3.edge.gate.weight", "routers.edge"),
        (BIAS, "heads.edge"),
    ],
)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3.39e38, -1e30])
def test_a_weight_that_cannot_be_used_is_refused_when_it_is_read(
    tiny_student: Path, tmp_path: Path, tensor: str, component: str, value: float
) -> None:
    path = _signed(tiny_student, tmp_path / "student.onnx", tensor, component, value)
    with StudentFile.open(path) as file:
        with pytest.raises(TensorError, match=rf"{tensor} .*(NaN or infinity|overflows)"):
            file.component(component)
        file.component("heads.sal")


def test_the_stem_must_fit_fp16_and_a_head_need_not(tiny_student: Path, tmp_path: Path) -> None:
    place = (tmp_path / "student.onnx", "stem.pos_embed", "stem")
    with StudentFile.open(_signed(tiny_student, *place, LARGEST)) as file:
        file.component("stem")
    with (
        StudentFile.open(_signed(tiny_student, *place, 65520.0)) as file,
        pytest.raises(TensorError, match="at most 65504; got 65520"),
    ):
        file.component("stem")
    in_micrometres = _signed(tiny_student, tmp_path / "student.onnx", BIAS, "heads.edge", 4e5)
    with StudentFile.open(in_micrometres) as file:
        file.component("heads.edge")


def test_no_such_weight_is_written(tiny_student: Path, tmp_path: Path) -> None:
    with StudentFile.open(tiny_student) as file:
        components = {name: dict(file.component(name)) for name in file.manifest.components}
        for value in (np.nan, 2 * LARGEST_IN_HEAD):
            components["heads.edge"][BIAS] = np.full(1, value, np.float32)
            with pytest.raises(TensorError, match=BIAS):
                write_student(tmp_path / "student.onnx", file.manifest, components)
    assert not [*tmp_path.iterdir()]


@pytest.fixture(scope="module")
def pack(tiny_student: Path) -> PartPack:
    with StudentFile.open(tiny_student) as file:
        return extract_part(file, "adapters.sam")


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3.39e38])
def test_a_signed_pack_of_such_weights_is_refused(
    pack: PartPack, tmp_path: Path, dtype: str, value: float
) -> None:
    def spoil(tensor: NDArray[Any]) -> NDArray[Any]:
        with np.errstate(over="ignore"):
            spoilt = tensor.astype(dtype)
            spoilt.reshape(-1)[0] = np.float32(value)
        return spoilt

    tensors = {
        key: spoil(tensor) if key == "norms.3.sam.weight" else tensor.astype(dtype)
        for key, tensor in pack.tensors.items()
    }
    path = tmp_path / "sam.safetensors"
    storage = {"float32": "fp32", "float16": "fp16"}[dtype]
    stated = {"digest": component_digest(tensors), "storage": storage}
    manifest = pack.manifest.model_copy(update=stated)
    with pytest.raises(TensorError, match=r"norms\.3\.sam\.weight .*(NaN or inf|overflows)"):
        write_pack(path, manifest, tensors)
    write_safetensors(path, tensors, {METADATA_KEY: manifest.model_dump_json()})
    with pytest.raises(TensorError, match=r"norms\.3\.sam\.weight .*(NaN or inf|overflows)"):
        read_pack(path)


def _node(model: Any, op: str) -> Any:
    return next(node for node in model.graph.node if node.op_type == op)


def _epsilon(value: float) -> Callable[[Any], None]:
    def spoil(model: Any) -> None:
        attributes = _node(model, "LayerNormalization").attribute
        next(each for each in attributes if each.name == "epsilon").f = value

    return spoil


def _constant(tensor: Any) -> Callable[[Any], None]:
    def spoil(model: Any) -> None:
        _node(model, "Constant").attribute[0].t.CopyFrom(tensor)

    return spoil


def _list(model: Any) -> None:
    _node(model, "Gelu").attribute.append(helper.make_attribute("x", [1.0, float("nan")]))


@pytest.mark.parametrize(
    "spoil",
    [
        _epsilon(float("nan")),
        _epsilon(float("inf")),
        _constant(helper.make_tensor("c", onnx.TensorProto.FLOAT, [2], [1.0, float("inf")])),
        _constant(helper.make_tensor("c", onnx.TensorProto.DOUBLE, [1], [float("nan")])),
        _constant(helper.make_tensor("c", onnx.TensorProto.FLOAT16, [1], [float("nan")])),
        _constant(helper.make_tensor("c", onnx.TensorProto.BFLOAT16, [1], [float("nan")])),
        _constant(helper.make_tensor("c", onnx.TensorProto.FLOAT, [1], b"\0\0\xc0\x7f", raw=True)),
        _list,
    ],
)
def test_a_constant_that_is_not_finite_is_refused(
    tiny_student: Path, tmp_path: Path, spoil: Callable[[Any], None]
) -> None:
    def spoil_and_sign(model: Any) -> None:
        spoil(model)
        sign_graph(model)

    with pytest.raises(ManifestError, match="NaN or infinite"):
        StudentFile.open(edit_model(tiny_student, tmp_path / "student.onnx", spoil_and_sign))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mean", [float("nan"), 0.5, 0.5]),
        ("mean", [1e300, 0.5, 0.5]),
        ("std", [float("nan"), 0.2, 0.2]),
        ("std", [0, 0.2, 0.2]),
        ("std", [1e-310, 0.2, 0.2]),
        ("std", [1e-40, 0.2, 0.2]),
        ("std", [1e300, 0.2, 0.2]),
        ("std", [10**60, 0.2, 0.2]),
    ],
)
def test_a_normalisation_that_overflows_is_refused(
    tiny_student: Path, tmp_path: Path, field: str, value: list[float]
) -> None:
    def spoil(model: Any) -> None:
        entry = model.metadata_props[0]
        manifest = json.loads(entry.value)
        manifest["preprocess"][field] = value
        entry.value = json.dumps(manifest)

    with pytest.raises(ManifestError):
        StudentFile.open(edit_model(tiny_student, tmp_path / "student.onnx", spoil))
