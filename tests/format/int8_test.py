"""Int8 students: what is stored, what it stands for, and that stock runtimes compute it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from tests.support.files import Edit, edit_manifest, read_all, set_field
from tests.support.int8 import images, quantised_student

import sakedge
from sakedge.errors import FileFormatError, ManifestError, TensorError
from sakedge.format import GraphForm, QualityEntry, StudentFile, TaskQuality, extract_part
from sakedge.format.student.int8 import (
    MOST,
    STEM_MOST,
    as_floats,
    is_product,
    quantised,
    stem_layers,
)
from sakedge.format.student.record import record_quality

KEPT = ("heads.edge", "routers.sal", "adapters.sam", "stem.blocks.1.mlp.fc2")


@pytest.fixture(scope="session")
def mixed_student(tmp_path_factory: pytest.TempPathFactory, tiny_student: Path) -> Path:
    path = tmp_path_factory.mktemp("mixed") / "student.int8.onnx"
    return quantised_student(tiny_student, path, floats=KEPT)


def _stock(
    model: Any, image: NDArray[np.float32], *, literal: bool = False
) -> dict[str, NDArray[Any]]:
    """Stock ONNX Runtime; if literal, each operator by itself, integers as floats."""
    options = ort.SessionOptions()
    if literal:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model, options)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"image": image}), strict=True))


def _error(ours: NDArray[Any], theirs: NDArray[Any]) -> float:
    return float(np.abs(ours - theirs).max() / np.ptp(theirs))


@pytest.mark.parametrize("shape", [(40, 12), (12, 40, 3, 3)])
@pytest.mark.parametrize("most", [MOST, STEM_MOST])
def test_a_weight_is_rounded_to_the_nearest_step_of_its_channel(
    shape: tuple[int, ...], most: int
) -> None:
    weight = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    channels = weight if len(shape) == 4 else weight.T
    channels[3] = 0  # a channel without weights
    stored = quantised("w", weight, most)
    assert stored["w"].dtype == np.int8
    assert abs(int(stored["w"].min())) == stored["w"].max() == most
    back = as_floats(stored)["w"]
    step = np.abs(channels.reshape(12, -1)).max(1) / most
    found = (back if len(shape) == 4 else back.T).reshape(12, -1)
    error = np.abs(found - channels.reshape(12, -1)).max(1)
    assert (error <= step * (0.5 + 1e-5)).all()
    assert not found[3].any()


def test_matrix_products_are_int8_and_nothing_else(int8_student: Path) -> None:
    with StudentFile.open(int8_student) as file:
        for component in file.manifest.components:
            tensors = file.component(component)
            for name, tensor in tensors.items():
                assert (tensor.dtype == np.int8) == is_product(name), name
                assert (f"{name}.scale" in tensors) == is_product(name), name
        stem, layers = file.component("stem"), stem_layers(file.manifest.architecture)
        assert {f"{layer}.input.zero_point" for layer in layers} < stem.keys()
        # What is added in 16 bits by CPUs without VNNI fits there.
        most = max(int(np.abs(stem[f"{layer}.weight"].astype(int)).max()) for layer in layers)
        assert 2 * 255 * most < 2**15
        assert file.manifest.requires == ("int8",)


def test_what_is_kept_in_floats_is_stored_so(mixed_student: Path, tiny_student: Path) -> None:
    with StudentFile.open(mixed_student) as file, StudentFile.open(tiny_student) as original:
        for component in ("heads.edge", "routers.sal", "adapters.sam"):
            whole = file.component(component)
            assert {tensor.dtype.name for tensor in whole.values()} == {"float32"}
            assert file.manifest.digests[component] == original.manifest.digests[component]
        stem = file.component("stem")
        assert stem["stem.blocks.1.mlp.fc2.weight"].dtype == np.float32
        assert "stem.blocks.1.mlp.fc2.input.scale" not in stem
        assert stem["stem.blocks.1.mlp.fc1.weight"].dtype == np.int8


@pytest.mark.parametrize("student", ["int8_student", "mixed_student"])
def test_the_file_is_valid_onnx_and_close_to_the_float_student(
    student: str, tiny_student: Path, request: pytest.FixtureRequest
) -> None:
    path: Path = request.getfixturevalue(student)
    onnx.checker.check_model(path, full_check=True)
    with StudentFile.open(path) as file:
        image = images(file.manifest, 3)[2]
    found, floats = _stock(path, image), _stock(tiny_student, image)
    for task, logits in floats.items():
        assert 0 < _error(found[task], logits) < 0.05, task


@pytest.mark.parametrize("student", ["int8_student", "mixed_student"])
@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_ours_computes_what_stock_onnxruntime_does(
    student: str, backend: str, request: pytest.FixtureRequest
) -> None:
    path: Path = request.getfixturevalue(student)
    rng = np.random.default_rng(1)
    with StudentFile.open(path) as file:
        height, width = file.manifest.input_size
        preprocess = file.manifest.preprocess
    pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
    image = ((pixels / 255 - preprocess.mean) / preprocess.std).astype(np.float32)
    theirs = _stock(path, image.transpose(2, 0, 1)[np.newaxis])
    with sakedge.load(path, backend=backend, precision="int8") as ours:
        result = ours(pixels, logits=True)
    for task, logits in theirs.items():
        found = result[task].logits
        assert found is not None
        assert _error(found, logits[0]) < 0.02, task


def test_a_stem_in_floats_has_the_weights_and_rounds_nothing(
    int8_student: Path, tmp_path: Path
) -> None:
    with StudentFile.open(int8_student) as file:
        plain = file.stem(floats=True)
        quantised_stem = file.stem()
        image = images(file.manifest)[0]
        expected = as_floats(file.component("stem"))
    assert plain.digest != quantised_stem.digest
    assert plain.weights.keys() == expected.keys()
    operators = {node.op_type for node in plain.plain.nodes}
    assert not operators & {"QuantizeLinear", "DequantizeLinear"}
    ours, theirs = _stock(plain.to_bytes(), image), _stock(quantised_stem.to_bytes(), image)
    last = plain.outputs[-1]
    assert 0 < _error(ours[last], theirs[last]) < 0.05


@pytest.mark.parametrize("student", ["int8_student", "mixed_student"])
def test_the_exported_graph_computes_the_same(student: str, request: pytest.FixtureRequest) -> None:
    with StudentFile.open(request.getfixturevalue(student)) as file:
        manifest = file.manifest
        form = GraphForm(tasks=manifest.task_names, adapters=manifest.adapter_names)
        exported, image = file.exported(form).to_bytes(), images(manifest)[0]
        theirs = _stock(file.path, image, literal=True)
    for task, logits in _stock(exported, image, literal=True).items():
        assert _error(logits, theirs[task]) < 1e-5, task


def test_a_float_pack_swaps_in_and_is_quantised_as_it_is_packed(
    int8_student: Path, tiny_student: Path, tmp_path: Path
) -> None:
    with StudentFile.open(tiny_student) as file:
        pack = extract_part(file, "adapters.sam")
    path = tmp_path / "sam.safetensors"
    sakedge.format.write_pack(path, pack.manifest, pack.tensors)
    pixels = np.random.default_rng(2).integers(0, 256, (64, 96, 3), np.uint8)
    with sakedge.load(int8_student, precision="int8") as student:
        before = student(pixels, logits=True)
        student.adapters.swap("sam", path)
        after = student(pixels, logits=True)
    # The same adapter, rounded by the same rule: its columns' largest weights are whole steps.
    for task in before.tasks:
        one, other = before[task].logits, after[task].logits
        assert one is not None
        assert other is not None
        assert _error(other, one) < 0.01, task


def test_measurements_are_recorded_without_changing_what_is_computed(
    int8_student: Path, tmp_path: Path
) -> None:
    path = tmp_path / "student.onnx"
    path.write_bytes(int8_student.read_bytes())
    with StudentFile.open(path) as file:
        before, content = file.manifest, file.content_digest
    task = TaskQuality(
        metric="mIoU",
        value=66.9,
        reference=67.0,
        passed=True,
        n=300,
        dataset="scenes",
        dataset_digest="1" * 64,
        drop=0.0015,
        drop_interval=(0.0005, 0.003),
        allowed=0.01,
    )
    entry = QualityEntry(
        content=content,
        adapters={name: before.digests[f"adapters.{name}"] for name in before.adapter_names},
        precision="int8",
        runtime="openvino 2026.4.1",
        tool="sakedge 0.1.0",
        tasks=dict.fromkeys(before.task_names, task),
    )
    record_quality(path, [entry])
    failed = task.model_copy(update={"passed": False})
    again = entry.model_copy(update={"tasks": dict.fromkeys(before.task_names, failed)})
    other = entry.model_copy(update={"runtime": "onnxruntime 1.32.0"})
    record_quality(path, [again, other])
    with StudentFile.open(path) as file:
        assert file.content_digest == content
        assert file.manifest.quality == (again, other)
        assert file.manifest.digests == before.digests
    read_all(path)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (set_field("requires", value=[]), "'int8' is required"),
        (set_field("storage", "floats", value=["heads.rim"]), "'heads.rim'"),
        (set_field("storage", "floats", value=["stem.blocks.9.mlp.fc1"]), "no part of it"),
        (set_field("storage", "floats", value=["stem.blocks.0.mlp.fc1"]), "tensor"),
        (set_field("storage", "adapters", value="fp32"), "tensor"),
    ],
)
def test_a_manifest_that_contradicts_the_file_is_refused(
    int8_student: Path, tmp_path: Path, edit: Edit, reason: str
) -> None:
    path = edit_manifest(int8_student, tmp_path / "student.onnx", edit)
    with pytest.raises(FileFormatError, match=reason):
        read_all(path)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("stem.blocks.0.mlp.fc1.weight", -128, "holds -128"),
        ("stem.blocks.0.mlp.fc1.weight.scale", 0.0, "no scale"),
        ("stem.blocks.0.mlp.fc1.weight.scale", -1.0, "no scale"),
        ("heads.edge.fuse.weight.scale", np.inf, "NaN or infinity"),
        ("stem.blocks.0.mlp.fc1.input.scale", np.nan, "NaN or infinity"),
        ("stem.blocks.0.mlp.fc1.input.scale", 0.0, "no scale"),
    ],
)
def test_values_that_stand_for_nothing_are_refused(
    int8_student: Path, tmp_path: Path, name: str, value: float, reason: str
) -> None:
    with StudentFile.open(int8_student) as file:
        manifest = file.manifest
        components = {part: dict(file.component(part)) for part in manifest.components}
    component = "stem" if name.startswith("stem") else "heads.edge"
    wrong = np.array(components[component][name])
    wrong.reshape(-1)[0] = value
    components[component][name] = wrong
    with pytest.raises(TensorError, match=reason):
        sakedge.format.write_student(tmp_path / "student.onnx", manifest, components)
    assert not list(tmp_path.iterdir())


def test_a_student_of_another_version_is_not_rewritten(
    int8_student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "old.onnx"
    path.write_bytes(int8_student.read_bytes())
    monkeypatch.setattr("sakedge.format.student.record.OPSET", 24)
    with pytest.raises(ManifestError, match="written by another version"):
        record_quality(path, [])
    assert path.read_bytes() == int8_student.read_bytes()
