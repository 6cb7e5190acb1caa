from __future__ import annotations

import errno
import os
import resource
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import openvino as ov
import pytest
from numpy.typing import NDArray
from tests.support.files import without_rights

from sakedge.errors import ManifestError, StorageError, TensorError
from sakedge.format import Manifest, Storage, StudentFile, write_student
from sakedge.format.layout import component_shapes
from sakedge.format.student.int8 import FLOATS

Components = dict[str, dict[str, NDArray[Any]]]


@pytest.fixture(scope="module")
def whole(tiny_student: Path) -> tuple[Manifest, Components]:
    with StudentFile.open(tiny_student) as file:
        manifest = file.manifest
        return manifest, {name: file.component(name) for name in manifest.components}


def _stock(path: Path, images: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    session = ort.InferenceSession(path)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"image": images}), strict=True))


@pytest.fixture(scope="module")
def images() -> NDArray[np.float32]:
    return np.random.default_rng(1).standard_normal((2, 3, 64, 96)).astype(np.float32)


def test_the_onnx_checker_accepts_the_file_with_shapes_inferred(tiny_student: Path) -> None:
    onnx.checker.check_model(tiny_student, full_check=True)


def test_stock_onnx_runtime_and_openvino_agree(
    tiny_student: Path, images: NDArray[np.float32]
) -> None:
    core = ov.Core()
    model = core.compile_model(
        core.read_model(tiny_student), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    theirs = model(images)
    for name, logits in _stock(tiny_student, images).items():
        # Both sum in float32, in other orders: 1e-5 of the range leaves them a factor of ten.
        assert np.abs(theirs[name] - logits).max() < 1e-5 * np.ptp(logits), name


def test_the_batch_is_symbolic(tiny_student: Path, images: NDArray[np.float32]) -> None:
    both = _stock(tiny_student, images)
    for i, image in enumerate(images):
        for name, logits in _stock(tiny_student, image[None]).items():
            np.testing.assert_allclose(logits[0], both[name][i], atol=1e-5)


def test_the_file_holds_the_canonical_tensors_and_nothing_else(
    tiny_student: Path, whole: tuple[Manifest, Components]
) -> None:
    manifest, components = whole
    model = onnx.load(tiny_student)
    stored = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    named = {name: tensor for parts in components.values() for name, tensor in parts.items()}
    assert stored.keys() == named.keys()
    assert all(np.array_equal(stored[name], named[name]) for name in stored)
    values = {name for node in model.graph.node for name in node.output}
    assert {f"x{i}" for i in range(manifest.architecture.blocks + 1)} <= values
    assert [output.name for output in model.graph.output] == list(manifest.task_names)


def test_weights_begin_at_multiples_of_64_bytes(tiny_student: Path) -> None:
    with StudentFile.open(tiny_student) as file:
        for name in file.manifest.components:
            for tensor in file.component(name).values():
                assert tensor.ctypes.data % 64 == 0


def test_external_data_gives_the_same_student(
    tiny_student: Path,
    whole: tuple[Manifest, Components],
    images: NDArray[np.float32],
    tmp_path: Path,
) -> None:
    path = tmp_path / "external.onnx"
    written = write_student(path, *whole, external=True)
    assert written == whole[0]
    (data,) = tmp_path.glob("external.*.data")
    assert path.stat().st_size < 200_000 < data.stat().st_size
    onnx.checker.check_model(path, full_check=True)
    expected = _stock(tiny_student, images)
    core = ov.Core()
    precise = {"INFERENCE_PRECISION_HINT": "f32"}
    theirs = core.compile_model(core.read_model(path), "CPU", precise)(images)
    for name, logits in _stock(path, images).items():
        assert np.array_equal(logits, expected[name])
        assert np.abs(theirs[name] - logits).max() < 1e-5 * np.ptp(logits), name
    with StudentFile.open(path) as file:
        for name in file.manifest.components:
            assert file.component(name).keys() == whole[1][name].keys()


def test_half_precision_halves_the_file_and_computes_in_float32(
    tiny_student: Path,
    whole: tuple[Manifest, Components],
    images: NDArray[np.float32],
    tmp_path: Path,
) -> None:
    manifest = whole[0].model_copy(update={"storage": Storage.uniform("fp16")})
    halves = {c: {n: t.astype(np.float16) for n, t in p.items()} for c, p in whole[1].items()}
    rounded = {c: {n: t.astype(np.float32) for n, t in p.items()} for c, p in halves.items()}
    write_student(tmp_path / "half.onnx", manifest, halves)
    write_student(tmp_path / "rounded.onnx", whole[0], rounded)
    assert (tmp_path / "half.onnx").stat().st_size < 0.65 * tiny_student.stat().st_size
    onnx.checker.check_model(tmp_path / "half.onnx", full_check=True)
    expected = _stock(tmp_path / "rounded.onnx", images)
    for name, logits in _stock(tmp_path / "half.onnx", images).items():
        assert np.abs(logits - expected[name]).max() < 1e-5 * np.ptp(logits), name


def test_groups_of_components_are_stored_in_their_own_types(
    whole: tuple[Manifest, Components], images: NDArray[np.float32], tmp_path: Path
) -> None:
    storage = Storage(stem="fp32", adapters="fp16", routers="fp32", heads="fp16")
    manifest = whole[0].model_copy(update={"storage": storage})
    dtypes = {component: FLOATS[storage.of(component)] for component in whole[1]}
    stored = {c: {n: t.astype(dtypes[c]) for n, t in p.items()} for c, p in whole[1].items()}
    rounded = {c: {n: t.astype(np.float32) for n, t in p.items()} for c, p in stored.items()}
    write_student(tmp_path / "mixed.onnx", manifest, stored)
    write_student(tmp_path / "rounded.onnx", whole[0], rounded)
    onnx.checker.check_model(tmp_path / "mixed.onnx", full_check=True)
    with StudentFile.open(tmp_path / "mixed.onnx") as file:
        for name in file.manifest.components:
            assert {t.dtype.name for t in file.component(name).values()} == {dtypes[name]}
    expected = _stock(tmp_path / "rounded.onnx", images)
    for name, logits in _stock(tmp_path / "mixed.onnx", images).items():
        assert np.abs(logits - expected[name]).max() < 1e-5 * np.ptp(logits), name


def test_the_lineage_is_computed_for_a_float32_stem_and_asked_for_with_another(
    whole: tuple[Manifest, Components], tmp_path: Path
) -> None:
    path = tmp_path / "student.onnx"
    astray = whole[0].model_copy(update={"stem_lineage": "0" * 64})
    assert write_student(path, astray, whole[1]) == whole[0]

    halves = {c: {n: t.astype(np.float16) for n, t in p.items()} for c, p in whole[1].items()}
    half = {"storage": Storage.uniform("fp16")}
    written = write_student(path, whole[0].model_copy(update=half), halves)
    assert written.stem_lineage == whole[0].digests["stem"] != written.digests["stem"]
    with StudentFile.open(path) as file:
        assert file.manifest == written
    path.unlink()
    with pytest.raises(ManifestError, match="no stem_lineage"):
        write_student(path, astray.model_copy(update=half), halves)
    assert list(tmp_path.iterdir()) == []


def test_a_student_too_large_for_one_file_gets_a_second(
    whole: tuple[Manifest, Components], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "student.onnx"
    write_student(path, *whole)
    with StudentFile.open(path) as file:
        assert file.files == (path,)
    # The real limit, 2 GB, is met the same way by a ViT-L with many adapters.
    monkeypatch.setattr("sakedge.format.onnx.model.ONNX_LIMIT", path.stat().st_size - 1)
    write_student(path, *whole)
    with StudentFile.open(path) as file:
        assert file.files == (path, *tmp_path.glob("student.*.data"))


class _Counting(Mapping[str, NDArray[Any]]):
    """Counts how often each tensor is asked for."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        self.tensors = tensors
        self.asked: list[str] = []

    def __getitem__(self, name: str) -> NDArray[Any]:
        self.asked.append(name)
        return self.tensors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tensors)

    def __len__(self) -> int:
        return len(self.tensors)


def test_each_tensor_is_asked_for_once(whole: tuple[Manifest, Components], tmp_path: Path) -> None:
    counting = {name: _Counting(parts) for name, parts in whole[1].items()}
    shares: list[float] = []
    write_student(
        tmp_path / "s.onnx", whole[0], counting, progress=lambda _, share: shares.append(share)
    )
    asked = [name for counter in counting.values() for name in counter.asked]
    assert len(asked) == len(set(asked)) == sum(len(parts) for parts in whole[1].values())
    assert shares == [(i + 1) / len(asked) for i in range(len(asked))]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda t: t[:-1], "does not fit the manifest"),
        (lambda t: t.astype(np.float64), "does not fit the manifest"),
        (lambda t: np.full_like(t, np.nan), "NaN or infinity"),
        (lambda t: np.full_like(t, np.inf), "NaN or infinity"),
        (None, "is missing"),
    ],
)
def test_a_wrong_tensor_leaves_the_old_file_as_it_was(
    whole: tuple[Manifest, Components],
    tmp_path: Path,
    spoil: Callable[[NDArray[Any]], NDArray[Any]] | None,
    reason: str,
) -> None:
    manifest, components = whole
    head = dict(components["heads.edge"])
    name = "heads.edge.last.bias"
    tensor = head.pop(name)
    if spoil is not None:
        head[name] = spoil(tensor)
    path = tmp_path / "student.onnx"
    path.write_bytes(b"old")
    with pytest.raises(TensorError, match=reason):
        write_student(path, manifest, {**components, "heads.edge": head})
    assert [file.name for file in tmp_path.iterdir()] == ["student.onnx"]
    assert path.read_bytes() == b"old"


def test_a_file_larger_than_the_system_allows_is_a_storage_error(
    whole: tuple[Manifest, Components], tmp_path: Path
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(StorageError, match="too large"):
            write_student(tmp_path / "student.onnx", *whole)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_no_space_left_is_a_storage_error_that_leaves_nothing(
    whole: tuple[Manifest, Components], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    for external in (False, True):
        with pytest.raises(StorageError, match=r"No space left.*Free some space"):
            write_student(tmp_path / "student.onnx", *whole, external=external)
        assert list(tmp_path.iterdir()) == []


def test_a_folder_without_rights_or_that_is_not_there_is_a_storage_error(
    whole: tuple[Manifest, Components], tmp_path: Path
) -> None:
    with without_rights(tmp_path), pytest.raises(StorageError, match="rights"):
        write_student(tmp_path / "student.onnx", *whole)
    with pytest.raises(StorageError, match="No such file"):
        write_student(tmp_path / "nowhere" / "student.onnx", *whole)


def test_whoever_has_the_old_file_open_keeps_its_content(
    tiny_student: Path, whole: tuple[Manifest, Components], tmp_path: Path
) -> None:
    path = tmp_path / "student.onnx"
    path.write_bytes(tiny_student.read_bytes())
    with StudentFile.open(path) as old:
        doubled = {c: {n: 2 * t for n, t in p.items()} for c, p in whole[1].items()}
        write_student(path, whole[0], doubled)
        name = "heads.edge.last.bias"
        assert np.array_equal(old.component("heads.edge")[name], whole[1]["heads.edge"][name])
        with StudentFile.open(path) as new:
            assert new.content_digest != old.content_digest
            assert new.file_digest != old.file_digest


def test_layout_names_every_component_of_the_manifest(whole: tuple[Manifest, Components]) -> None:
    assert tuple(component_shapes(whole[0])) == whole[0].components
