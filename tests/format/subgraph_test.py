from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import openvino as ov
import pytest
from numpy.typing import NDArray
from tests.reference.sak import ReferenceStudent
from tools.checkpoint import load_state

from sakedge.format import StudentFile, Subgraph, write_student


@pytest.fixture(scope="module")
def stem(tiny_student: Path) -> Subgraph:
    with StudentFile.open(tiny_student) as file:
        return file.stem()


@pytest.fixture(scope="module")
def images() -> NDArray[np.float32]:
    return np.random.default_rng(2).standard_normal((2, 3, 64, 96)).astype(np.float32)


@pytest.fixture(scope="module")
def outputs(
    tiny_checkpoint: tuple[Path, Path], images: NDArray[np.float32]
) -> list[NDArray[np.float64]]:
    reference = ReferenceStudent(load_state(tiny_checkpoint[0]), (), (), 3)
    both = [reference.stem(image.astype(np.float64)) for image in images]
    return [np.stack(pair) for pair in zip(*both, strict=True)]


def _agree(ours: Any, outputs: list[NDArray[np.float64]]) -> None:
    assert len(ours) == len(outputs) == 5
    for x, expected in zip(ours, outputs, strict=True):
        assert x.shape == expected.shape
        # float32 rounds at 6e-8; forty operators on sums of up to 768 terms stay below 1e-5.
        assert np.abs(x - expected).max() < 1e-5 * np.ptp(expected)


def test_onnx_runtime_runs_it_with_weights_from_memory(
    stem: Subgraph, images: NDArray[np.float32], outputs: list[NDArray[np.float64]]
) -> None:
    options = ort.SessionOptions()
    values = [ort.OrtValue.ortvalue_from_numpy(weight) for weight in stem.weights.values()]
    options.add_external_initializers(list(stem.weights), values)
    session = ort.InferenceSession(stem.graph, options)
    assert tuple(output.name for output in session.get_outputs()) == stem.outputs
    _agree(session.run(None, {"image": images}), outputs)


def test_openvino_runs_it_with_constants_in_place_of_inputs(
    stem: Subgraph, images: NDArray[np.float32], outputs: list[NDArray[np.float64]]
) -> None:
    core = ov.Core()
    model = core.read_model(stem.with_weights_as_inputs())
    for parameter in model.get_parameters():
        weight = stem.weights.get(parameter.get_friendly_name())
        if weight is not None:
            constant = ov.op.Constant(ov.Tensor(weight, ov.Shape(weight.shape), ov.Type.f32))
            parameter.output(0).replace(constant.output(0))
            model.remove_parameter(parameter)
    model.validate_nodes_and_infer_types()
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    _agree(list(compiled(images).values()), outputs)


def test_the_self_contained_model_is_valid_and_equal(
    stem: Subgraph, images: NDArray[np.float32], outputs: list[NDArray[np.float64]]
) -> None:
    whole = stem.to_bytes()
    onnx.checker.check_model(onnx.load_from_string(whole), full_check=True)
    _agree(ort.InferenceSession(whole).run(None, {"image": images}), outputs)


def test_the_cut_keeps_the_stem_and_nothing_else(stem: Subgraph) -> None:
    model = onnx.load_from_string(stem.graph)
    assert len(stem.graph) < 64_000
    assert {tensor.name for tensor in model.graph.initializer} == set(stem.weights)
    names = {name for node in model.graph.node for name in node.output}
    assert not any(name.startswith(("tsap", "expert", "mor", "heads")) for name in names)


def test_another_weight_gives_another_digest(
    stem: Subgraph, tiny_student: Path, tmp_path: Path
) -> None:
    with StudentFile.open(tiny_student) as file:
        components = {name: dict(file.component(name)) for name in file.manifest.components}
        assert file.stem().digest == stem.digest
        components["stem"]["stem.cls_token"] = components["stem"]["stem.cls_token"] + 1
        write_student(tmp_path / "other.onnx", file.manifest, components)
    with StudentFile.open(tmp_path / "other.onnx") as file:
        assert file.stem().digest != stem.digest
