"""Exported graphs on every backend: the numbers of stock ONNX Runtime on the unmodified file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import helper
from tools.checkpoint import make_checkpoint

from sakedge.backends import registry
from sakedge.backends.base import Backend, CompileOptions
from sakedge.convert import convert
from sakedge.format import GraphForm, StudentFile, Subgraph

TOLERANCE = 1e-4
"""Of an output's range: what fp32 against fp32, summed in another order, may differ by."""

KINDS = {
    "routed": {},
    "unrouted": {"router": "none"},
    "without adapters": {"teachers": ()},
}
TASKS = ("normals", "edge")


@pytest.fixture(scope="module", params=KINDS)
def student(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("student")
    options = KINDS[request.param]
    files = make_checkpoint(folder, width=48, blocks=4, attention_heads=3, **options)
    convert(*files, folder / "student.onnx")
    return folder / "student.onnx"


@pytest.fixture(params=registry.BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    return registry.get(request.param)


def exported(file: StudentFile, *tasks: str) -> Subgraph:
    """All adapters, up to the maps, with the routing."""
    adapters = file.manifest.adapter_names
    return file.exported(GraphForm(tasks, adapters, outputs="maps", routing=True))


def images(subgraph: Subgraph, batch: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((batch, 3, *subgraph.input_size), dtype=np.float32)


def in_stock_runtime(
    path: Path, names: tuple[str, ...], inputs: NDArray[np.float32]
) -> list[NDArray[np.float32]]:
    """Inner values of the file's own graph, as further outputs."""
    model = onnx.load(path)
    float32 = onnx.TensorProto.FLOAT
    model.graph.output.extend(helper.make_tensor_value_info(name, float32, None) for name in names)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    found: list[NDArray[np.float32]] = session.run(list(names), {"image": inputs})
    return found


def test_maps_and_routing_are_those_of_the_file(student: Path, backend: Backend) -> None:
    with StudentFile.open(student) as file:
        subgraph = exported(file, *TASKS)
        routed = file.manifest.architecture.router == "mor"
        levels = file.manifest.levels if routed else ()
    maps = tuple(f"heads.{task}.last" for task in TASKS)
    routing = tuple(f"routing.{level}.{task}" for level in levels for task in TASKS)
    assert subgraph.outputs == maps + routing
    inputs = images(subgraph, 2)
    outputs = backend.compile(subgraph, CompileOptions(threads=2)).run(inputs)
    expected = in_stock_runtime(student, subgraph.outputs, inputs)
    for name, ours, theirs in zip(subgraph.outputs, outputs, expected, strict=True):
        assert ours.shape == theirs.shape, name
        assert np.abs(ours - theirs).max() <= TOLERANCE * (np.ptp(theirs) or 1.0), name


def test_maps_are_a_quarter_of_the_input(tiny_student: Path, backend: Backend) -> None:
    with StudentFile.open(tiny_student) as file:
        subgraph = exported(file, "normals")
        adapters = len(file.manifest.adapters)
    session = backend.compile(subgraph, CompileOptions(threads=1))
    normals, *routing = session.run(images(subgraph, 1))
    height, width = subgraph.input_size
    assert normals.shape == (1, 3, height // 4, width // 4)
    assert {weights.shape for weights in routing} == {(1, 1, 1 + adapters)}
    for weights in routing:
        np.testing.assert_allclose(weights.sum(), 1.0, atol=1e-6)


def test_the_compiled_graph_comes_back_from_the_cache(tiny_student: Path, tmp_path: Path) -> None:
    with StudentFile.open(tiny_student) as file:
        graphs = [file.stem(), exported(file, *TASKS)]
    options = CompileOptions(threads=1, cache_dir=tmp_path)
    backend = registry.get("openvino")
    for subgraph in graphs:
        first, second = (backend.compile(subgraph, options) for _ in range(2))
        assert (first.details["cache"], second.details["cache"]) == ("stored", "hit")
        inputs = images(subgraph, 1)
        for ours, theirs in zip(first.run(inputs), second.run(inputs), strict=True):
            np.testing.assert_array_equal(ours, theirs)
