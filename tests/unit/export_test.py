"""`export`: what other runtimes compute from the file is what the student computes."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from tests.support.command_line import Run, assert_refused
from tests.support.files import edit_manifest, set_field
from tests.support.pictures import picture

import sakedge
from sakedge.errors import (
    NotAStudentError,
    OptionError,
    StorageError,
    UnknownAdapterError,
    UnknownTaskError,
)
from sakedge.format import StudentFile
from sakedge.format.student.graph.decoding import DECODERS
from sakedge.images.fit import Normalizer
from sakedge.tasks.kinds import KINDS

RUNTIMES = ("onnxruntime", "openvino", "opencv")
SUBSETS: list[list[str]] = [["dino", "sam"], ["sam"], []]
TOLERANCE = 1e-5
"""Of each task's range: both compute in float32, in another order."""


def run_in(runtime: str, path: Path, image: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Outputs by name, in a stock runtime that is given nothing but the file."""
    names = [output.name for output in onnx.load(path, load_external_data=False).graph.output]
    if runtime == "onnxruntime":
        from sakedge.backends.onnxruntime.library import onnxruntime

        session = onnxruntime().InferenceSession(str(path), providers=["CPUExecutionProvider"])
        return dict(zip(names, session.run(names, {"image": image}), strict=True))
    if runtime == "openvino":
        from sakedge.backends.openvino.library import openvino

        # As the other two compute; its default is bf16 where the CPU has it.
        exact = {"INFERENCE_PRECISION_HINT": "f32"}
        compiled = openvino().Core().compile_model(str(path), "CPU", exact)
        found = compiled(image)
        # A port may have further names, of values that are the same.
        return {name: found[compiled.output(name)] for name in names}
    network = cv2.dnn.readNetFromONNX(str(path))
    network.setInput(image, "image")
    return dict(zip(names, network.forward(names), strict=True))


@pytest.fixture(scope="module")
def image() -> NDArray[np.uint8]:
    return picture(64, 96)


@pytest.fixture(scope="module")
def normalised(image: NDArray[np.uint8], tiny_student: Path) -> NDArray[np.float32]:
    with StudentFile.open(tiny_student) as file:
        return np.ascontiguousarray(Normalizer(file.manifest.preprocess)(image)[np.newaxis])


@pytest.fixture(scope="module")
def expected(
    tiny_student: Path, image: NDArray[np.uint8]
) -> Mapping[tuple[str, ...], sakedge.Result]:
    """The student's own results, with logits, by adapters."""
    with sakedge.load(tiny_student, backend="onnxruntime", precision="fp32") as student:
        return {tuple(some): student(image, adapters=some, logits=True) for some in SUBSETS}


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("opset", [17, 23])
@pytest.mark.parametrize("adapters", SUBSETS, ids=["both", "one", "none"])
def test_logits_are_the_students(
    runtime: str,
    opset: int,
    adapters: list[str],
    tiny_student: Path,
    tmp_path: Path,
    normalised: NDArray[np.float32],
    expected: Mapping[tuple[str, ...], sakedge.Result],
) -> None:
    made = sakedge.export(tiny_student, tmp_path / "a.onnx", opset=opset, adapters=adapters)
    found = run_in(runtime, made.files[0], normalised)
    result = expected[tuple(adapters)]
    assert tuple(found) == result.tasks
    for task, logits in found.items():
        wanted = result[task].logits
        assert wanted is not None
        np.testing.assert_allclose(logits[0], wanted, rtol=0, atol=TOLERANCE * np.ptp(wanted))


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("target", ["onnxruntime", "tensorrt"])
def test_decoded_outputs_are_the_results(
    runtime: str,
    target: str,
    tiny_student: Path,
    tmp_path: Path,
    image: NDArray[np.uint8],
    normalised: NDArray[np.float32],
    expected: Mapping[tuple[str, ...], sakedge.Result],
) -> None:
    path = tmp_path / "a.onnx"
    from_bytes = runtime != "opencv"  # which takes images as floats only
    made = sakedge.export(
        tiny_student, path, target, decode=True, uint8=from_bytes, batch=1, tasks=list(KIND_OF)
    )
    found = run_in(runtime, path, image[np.newaxis] if from_bytes else normalised)
    result = expected["dino", "sam"]
    assert tuple(made.outputs) == tuple(found) == tuple(KIND_OF)
    for task, kind in KIND_OF.items():
        values = result[task].values
        if kind == "labels":
            # Where two logits are equal up to rounding, either label is right.
            assert (found[task][0] != values).mean() < 1e-3
        else:
            atol = TOLERANCE * max(float(np.ptp(values)), 1.0)
            np.testing.assert_allclose(found[task][0], values, rtol=0, atol=atol)


KIND_OF = {
    "height": "scalar",
    "normals": "normals",
    "defects": "labels",
    "sal": "two_class",
    "edge": "probability",
}
"""Each kind of task; in an order of outputs other than the student's."""


def test_every_kind_has_its_decoding(tiny_student: Path) -> None:
    assert set(DECODERS) == set(KINDS) == set(KIND_OF.values())


@pytest.mark.parametrize("opset", range(17, 24))
@pytest.mark.parametrize("decode", [False, True], ids=["logits", "decoded"])
def test_every_opset_is_plain_onnx(
    opset: int, decode: bool, tiny_student: Path, tmp_path: Path
) -> None:
    made = sakedge.export(tiny_student, tmp_path / "a.onnx", opset=opset, decode=decode)
    model = onnx.load(made.files[0])
    onnx.checker.check_model(model, full_check=True)
    assert [(each.domain, each.version) for each in model.opset_import] == [("", opset)]
    assert {node.domain for node in model.graph.node} <= {"", "ai.onnx"}
    assert not model.functions


def test_what_is_left_out_is_not_in_the_file(tiny_student: Path, tmp_path: Path) -> None:
    made = sakedge.export(tiny_student, tmp_path / "a.onnx", adapters="sam", tasks="edge", batch=2)
    model = onnx.load(made.files[0])
    names = {tensor.name for tensor in model.graph.initializer}
    assert not [name for name in names if "dino" in name]
    assert {name.split(".")[1] for name in names if name.startswith("heads.")} == {"edge"}
    assert made.inputs == {"image": "float32 [2, 3, 64, 96]"}
    assert made.outputs == {"edge": "float32 [2, 1, 64, 96]"}
    told = json.loads(model.metadata_props[0].value)
    assert (told["adapters"], [task["name"] for task in told["tasks"]]) == (["sam"], ["edge"])


@pytest.mark.parametrize("batch", ["dynamic", 2])
def test_a_batch_is_run_at_once(
    batch: int | str,
    tiny_student: Path,
    tmp_path: Path,
    normalised: NDArray[np.float32],
) -> None:
    path = tmp_path / "a.onnx"
    sakedge.export(tiny_student, path, batch=batch)
    two = np.concatenate([normalised, normalised[:, :, ::-1]])
    together = run_in("onnxruntime", path, two)
    sakedge.export(tiny_student, path, batch=1)
    for i in range(2):
        alone = run_in("onnxruntime", path, np.ascontiguousarray(two[i : i + 1]))
        for task, logits in alone.items():
            atol = TOLERANCE * float(np.ptp(logits))
            np.testing.assert_allclose(together[task][i], logits[0], rtol=0, atol=atol)


def test_weights_that_do_not_fit_go_beside_it(
    tiny_student: Path,
    tmp_path: Path,
    normalised: NDArray[np.float32],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, apart = tmp_path / "whole.onnx", tmp_path / "apart.onnx"
    sakedge.export(tiny_student, whole)
    monkeypatch.setattr("sakedge.format.onnx.model.ONNX_LIMIT", 100_000)
    made = sakedge.export(tiny_student, apart)
    assert [path.suffix for path in made.files] == [".onnx", ".data"]
    assert made.bytes == sum(path.stat().st_size for path in made.files)
    onnx.checker.check_model(str(apart), full_check=True)
    expected, found = (run_in("onnxruntime", path, normalised) for path in (whole, apart))
    for task, logits in expected.items():
        np.testing.assert_array_equal(found[task], logits)


@pytest.mark.parametrize(
    ("options", "error", "part"),
    [
        ({"target": "tvm"}, OptionError, "onnxruntime, openvino, tensorrt"),
        ({"target": 3}, OptionError, "unknown target"),
        ({"opset": 16}, OptionError, "from 17 to 23"),
        ({"opset": 24}, OptionError, "from 17 to 23"),
        ({"opset": "new"}, OptionError, "from 17 to 23"),
        ({"batch": 0}, OptionError, "from 1 to 4096"),
        ({"batch": "many"}, OptionError, "or dynamic"),
        ({"adapters": ["clip"]}, UnknownAdapterError, "dino, sam"),
        ({"tasks": ["depth"]}, UnknownTaskError, "defects, edge, sal, normals, height"),
        ({"tasks": []}, OptionError, "no task was asked for"),
        ({"decode": "yes"}, OptionError, "decode is neither true nor false"),
    ],
)
def test_what_cannot_be_exported_is_refused(
    options: dict[str, Any], error: type[Exception], part: str, tiny_student: Path, tmp_path: Path
) -> None:
    with pytest.raises(error, match=part):
        sakedge.export(tiny_student, tmp_path / "a.onnx", **options)
    assert not list(tmp_path.iterdir())


def test_decoded_tiles_are_refused(tiny_student: Path, tmp_path: Path) -> None:
    """Tiles are blended before they are decoded."""
    by_tiles = set_field("preprocess", "fit", value="tile")
    tiled = edit_manifest(tiny_student, tmp_path / "tiled.onnx", by_tiles)
    with pytest.raises(OptionError, match="decoded tiles cannot be blended"):
        sakedge.export(tiled, tmp_path / "a.onnx", decode=True)
    sakedge.export(tiled, tmp_path / "a.onnx")


def test_a_student_is_not_overwritten_and_a_graph_is_no_student(
    tiny_student: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.onnx"
    sakedge.export(tiny_student, path)
    with pytest.raises(NotAStudentError, match="that it was exported from"):
        sakedge.load(path)
    student = tmp_path / "student.onnx"
    student.write_bytes(tiny_student.read_bytes())
    with pytest.raises(OptionError, match="would overwrite the input"):
        sakedge.export(student, student)


def test_a_full_disk_leaves_what_was_there(
    tiny_student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(b"before")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="Free some space"):
        sakedge.export(tiny_student, path)
    assert path.read_bytes() == b"before"
    assert [each.name for each in tmp_path.iterdir()] == ["a.onnx"]


def test_the_verb(run: Run, tiny_student: Path, tmp_path: Path) -> None:
    path = tmp_path / "fast.onnx"
    told = json.loads(
        run(
            "export", tiny_student, "--for", "tensorrt", "--decode", "--uint8", "-o", path, "--json"
        ).stdout
    )
    assert (told["files"], told["opset"], told["bytes"]) == ([str(path)], 17, path.stat().st_size)
    assert told["inputs"] == {"image": "uint8 [1, 64, 96, 3]"}
    assert told["outputs"]["defects"] == "int32 [1, 64, 96]"
    shown = run("export", tiny_student, "--batch", "dynamic", "--adapters", "none", "-o", path)
    assert "none: the stem alone" in shown.stdout
    refused = run("export", tiny_student, "--batch", "many", "-o", path)
    assert_refused(refused, 64, "batch is no number of images", "'many'")
