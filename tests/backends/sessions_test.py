"""Every backend on a real graph: same numbers, no copies, any thread, clear refusals."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator
from tests.support.files import edit_model, sign_graph

from sakedge.backends import registry
from sakedge.backends.base import Backend, CompileOptions, Session
from sakedge.convert import convert
from sakedge.errors import BackendError, OptionError
from sakedge.format import StudentFile, Subgraph

NAMES = tuple(registry.BACKENDS)
TOLERANCE = 2e-5
"""Of an output's largest value. Four blocks of float32 against float64: each block adds the error
of a few dot products of up to 192 terms, about sqrt(192) · 2^-24 = 8e-7 each, and the LayerNorms
carry it on."""


@pytest.fixture(scope="module")
def stem(tiny_student: Path) -> Iterator[Subgraph]:
    with StudentFile.open(str(tiny_student)) as file:
        yield file.stem()


@pytest.fixture(params=NAMES)
def backend(request: pytest.FixtureRequest) -> Backend:
    return registry.get(request.param)


@pytest.fixture
def session(backend: Backend, stem: Subgraph) -> Session:
    return backend.compile(stem, CompileOptions(threads=2))


def images(stem: Subgraph, batch: int, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((batch, 3, *stem.input_size), dtype=np.float32)


def in_float64(stem: Subgraph, inputs: NDArray[np.float32]) -> list[NDArray[np.float64]]:
    """The stem's graph in ONNX's own reference evaluator, with every float32 made a float64."""
    model = onnx.load_from_string(stem.to_bytes())
    double, single = onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT
    for tensor in model.graph.initializer:
        if tensor.data_type == single:
            values = onnx.numpy_helper.to_array(tensor).astype(np.float64)
            tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    for value in [*model.graph.input, *model.graph.output]:
        value.type.tensor_type.elem_type = double
    evaluated = ReferenceEvaluator(model).run(None, {"image": inputs.astype(np.float64)})
    return [np.asarray(output) for output in evaluated]


def test_outputs_agree_with_float64(session: Session, stem: Subgraph) -> None:
    inputs = images(stem, 1)
    outputs = session.run(inputs)
    expected = in_float64(stem, inputs)
    assert len(outputs) == len(stem.outputs) == len(expected)
    for ours, theirs in zip(outputs, expected, strict=True):
        assert ours.dtype == np.float32
        assert ours.flags.c_contiguous
        assert ours.shape == theirs.shape
        assert np.abs(ours - theirs).max() < TOLERANCE * np.abs(theirs).max()


def test_weights_stored_in_fp16_are_computed_with_in_fp32(
    backend: Backend, tiny_checkpoint: tuple[Path, Path], tmp_path: Path
) -> None:
    convert(*tiny_checkpoint, tmp_path / "half.onnx", dtype="fp16")
    with StudentFile.open(str(tmp_path / "half.onnx")) as file:
        stem = file.stem()
    assert {weight.dtype for weight in stem.weights.values()} == {np.dtype(np.float16)}
    inputs = images(stem, 1)
    evaluator = ReferenceEvaluator(onnx.load_from_string(stem.to_bytes()))
    expected = evaluator.run(None, {"image": inputs})
    outputs = backend.compile(stem, CompileOptions(threads=1)).run(inputs)
    for ours, theirs in zip(outputs, expected, strict=True):
        assert np.abs(ours - theirs).max() < 2 * TOLERANCE * np.abs(theirs).max()


def test_an_image_does_not_depend_on_its_batch(session: Session, stem: Subgraph) -> None:
    batch = images(stem, 3)
    together = session.run(batch)
    for i in range(3):
        for whole, alone in zip(together, session.run(batch[i : i + 1]), strict=True):
            np.testing.assert_array_equal(whole[i : i + 1], alone)


def test_an_empty_batch_gives_empty_features(session: Session, stem: Subgraph) -> None:
    assert [len(output) for output in session.run(images(stem, 0))] == [0] * len(stem.outputs)


def test_read_only_and_strided_images_are_taken(session: Session, stem: Subgraph) -> None:
    inputs = images(stem, 1)
    expected = session.run(inputs)
    frozen = inputs.copy()
    frozen.flags.writeable = False
    strided = np.ascontiguousarray(inputs[..., ::-1])[..., ::-1]
    for given in (frozen, strided):
        for ours, theirs in zip(session.run(given), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_later_runs_leave_earlier_features_alone(session: Session, stem: Subgraph) -> None:
    first = session.run(images(stem, 1, seed=1))
    kept = [output.copy() for output in first]
    for seed in range(2, 6):
        session.run(images(stem, 1, seed=seed))
    for output, copy in zip(first, kept, strict=True):
        np.testing.assert_array_equal(output, copy)


def test_many_threads_get_what_one_would(session: Session, stem: Subgraph) -> None:
    inputs = [images(stem, 1 + seed % 2, seed) for seed in range(8)]
    alone = [session.run(each) for each in inputs]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(session.run, inputs * 4))
    for i, outputs in enumerate(together):
        for ours, theirs in zip(outputs, alone[i % 8], strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_a_session_outlives_the_file(backend: Backend, tiny_student: Path) -> None:
    """The weights are views of the mapped file: the session must keep the map."""
    with StudentFile.open(str(tiny_student)) as file:
        stem = file.stem()
        session = backend.compile(stem, CompileOptions(threads=1))
        inputs = images(stem, 1)
        expected = session.run(inputs)
    del stem, file
    gc.collect()
    for ours, theirs in zip(session.run(inputs), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((1, 3, 32, 96), np.float32),
        np.zeros((1, 1, 64, 96), np.float32),
        np.zeros((3, 64, 96), np.float32),
        np.zeros((1, 3, 64, 96), np.float64),
    ],
    ids=["height", "channels", "no batch", "float64"],
)
def test_other_images_are_refused(session: Session, wrong: NDArray[np.float32]) -> None:
    with pytest.raises(BackendError, match=r"expected float32 \[batch, 3, 64, 96\]"):
        session.run(wrong)


def test_an_operator_that_the_runtime_lacks_is_a_backend_error(
    backend: Backend, tiny_student: Path, tmp_path: Path
) -> None:
    def rename(model: Any) -> None:
        for node in model.graph.node:
            node.op_type = node.op_type.replace("Gelu", "Glue")
        sign_graph(model)

    path = edit_model(tiny_student, tmp_path / "strange.onnx", rename)
    with (
        StudentFile.open(path) as file,
        pytest.raises(BackendError, match=r"refused the stem.*Glue"),
    ):
        backend.compile(file.stem(), CompileOptions(threads=1))


def test_unknown_options_of_the_runtime_are_refused(backend: Backend, stem: Subgraph) -> None:
    with pytest.raises((OptionError, BackendError), match="NO_SUCH_OPTION"):
        backend.compile(stem, CompileOptions(threads=1, config={"NO_SUCH_OPTION": 1}))


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("onnxruntime", {"session.intra_op.allow_spinning": "1", "enable_mem_pattern": False}),
        ("openvino", {"NUM_STREAMS": 2}),
    ],
)
def test_options_of_the_runtime_are_passed_on(
    name: str, config: dict[str, object], stem: Subgraph
) -> None:
    session = registry.get(name).compile(stem, CompileOptions(threads=2, config=config))
    assert session.run(images(stem, 1))


def test_openvinos_auto_keeps_to_the_threads(stem: Subgraph) -> None:
    options = CompileOptions(device="auto", threads=1)
    session = registry.get("openvino").compile(stem, options)
    assert session.run(images(stem, 1))
    properties = session._compiled.get_property("DEVICE_PROPERTIES")  # type: ignore[attr-defined]
    if "CPU" in properties:  # elsewhere it may use a GPU at once
        assert properties["CPU"]["INFERENCE_NUM_THREADS"] == 1
        assert properties["CPU"]["NUM_STREAMS"] == 1


def test_details_say_what_runs(session: Session, backend: Backend) -> None:
    assert session.details["runtime"] == backend.name
    assert session.details["precision"] == "fp32"
    assert session.details["threads"] == "2"
    assert {"version", "device", "cache"} <= set(session.details)


def test_bf16_is_coarser_than_fp32_and_near_it(stem: Subgraph) -> None:
    """Otherwise the hint was ignored, or fp32 is not fp32."""
    backend = registry.get("openvino")
    support = backend.probe("CPU", "bf16")
    if not support.ok:
        pytest.skip(support.reason)
    inputs = images(stem, 1)
    expected = in_float64(stem, inputs)[-1]
    session = backend.compile(stem, CompileOptions(precision="bf16", threads=1))
    error = np.abs(session.run(inputs)[-1] - expected).max() / np.abs(expected).max()
    assert TOLERANCE < error < 0.1
    assert session.details["precision"] == "bf16"
