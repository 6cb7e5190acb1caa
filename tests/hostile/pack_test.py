"""Packs in int8 and with routers that were damaged or forged, and a student that is running."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

import sakedge
from sakedge.errors import (
    DigestError,
    FileFormatError,
    ManifestError,
    TensorError,
    UnsupportedFeatureError,
)
from sakedge.format import StudentFile, extract_part, read_pack
from sakedge.format.digest import component_digest
from sakedge.format.schema import METADATA_KEY
from sakedge.text import to_json

WEIGHT, ROUTER = "tsap.sam.0.down.weight", "mor.3.edge.gate.weight"
IMAGE = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
Tensors = dict[str, NDArray[Any]]
Edit = Callable[[dict[str, Any], Tensors], Any]


@pytest.fixture(scope="module")
def sound(tiny_student: Path) -> tuple[dict[str, Any], Tensors]:
    """Manifest and tensors of an int8 pack that brings the routers of a task."""
    with StudentFile.open(tiny_student) as file:
        part = extract_part(file, "adapters.sam", storage="int8")
        router = extract_part(file, "routers.edge", storage="int8")
    manifest = part.manifest.model_dump(mode="json", exclude_none=True) | {
        "requires": ["int8", "routers"],
        "retrained_tasks": ["edge"],
        "experts": ["dino", "sam"],
    }
    return manifest, {**part.tensors, **router.tensors}


@pytest.fixture(scope="module")
def running(tiny_student: Path) -> Iterator[tuple[sakedge.Student, NDArray[Any]]]:
    """A loaded student, and what it makes of an image."""
    with sakedge.load(tiny_student, backend="onnxruntime", threads=1) as student:
        yield student, student(IMAGE, tasks="edge", logits=True)["edge"].logits


def _written(path: Path, manifest: dict[str, Any], tensors: Tensors, *, sign: bool) -> Path:
    if sign:
        manifest["digest"] = component_digest(tensors)
    save_file(tensors, path, {METADATA_KEY: to_json(manifest)})
    return path


def test_the_sound_pack_is_read(sound: tuple[dict[str, Any], Tensors], tmp_path: Path) -> None:
    manifest, tensors = sound
    pack = read_pack(_written(tmp_path / "x", dict(manifest), tensors, sign=True))
    assert pack.manifest.retrained_tasks == ("edge",)


def _value(name: str, value: float) -> Edit:
    def edit(manifest: dict[str, Any], tensors: Tensors) -> None:
        tensors[name] = tensors[name].copy()
        tensors[name].reshape(-1)[-1] = value

    return edit


def _as(name: str, make: Callable[[NDArray[Any]], NDArray[Any]]) -> Edit:
    return lambda manifest, tensors: tensors.update(
        {name: np.ascontiguousarray(make(tensors[name]))}
    )


@pytest.mark.parametrize(
    ("edit", "error", "reason"),
    [
        (lambda m, t: m.update(requires=["int8"]), ManifestError, "requires 'routers'"),
        (lambda m, t: m.update(requires=["routers"]), ManifestError, "where, and only where"),
        (lambda m, t: m.update(requires=["int8", "x"]), UnsupportedFeatureError, "feature 'x'"),
        (lambda m, t: m.update(storage="fp32"), ManifestError, "where, and only where"),
        (lambda m, t: m.update(storage="int4"), ManifestError, "storage"),
        (lambda m, t: m.update(storage=["int8"]), ManifestError, "storage"),
        (lambda m, t: m.pop("storage"), ManifestError, "where, and only where"),
        (lambda m, t: m.pop("experts"), ManifestError, "needs 'experts'"),
        (lambda m, t: m.update(experts=["dino"]), ManifestError, "do not name sam itself"),
        (lambda m, t: m.update(experts=["sam"]), TensorError, "contradicts the manifest"),
        (lambda m, t: m.update(experts=["sam"] * 257), ManifestError, "experts"),
        (lambda m, t: m.update(routed_tasks=["edge"]), ManifestError, "is in 'routed_tasks' and"),
        (lambda m, t: m.update(retrained_tasks=["sal"]), TensorError, "edge|sal"),
        (lambda m, t: m.update(retrained_tasks=["../edge"]), ManifestError, "retrained_tasks"),
        (lambda m, t: m.update(kind="router"), ManifestError, "kind router"),
        (lambda m, t: t.pop(f"{WEIGHT}.scale"), TensorError, "lacks tensor"),
        (lambda m, t: t.pop(ROUTER), TensorError, "lacks tensor"),
        (lambda m, t: t.update({f"{ROUTER}.scale": t[WEIGHT]}), TensorError, "surplus tensor"),
        (_as(WEIGHT, lambda x: x.astype(np.float32)), TensorError, "expected int8"),
        (_as(WEIGHT, lambda x: x.view(np.uint8)), TensorError, "got dtype U8"),
        (_as(WEIGHT, lambda x: x.T), TensorError, "contradicts the manifest"),
        (_as(ROUTER, lambda x: x.astype(np.int8)), TensorError, "expected float32"),
        (_as(f"{WEIGHT}.scale", lambda x: x[:-1]), TensorError, "contradicts the manifest"),
        (_as(f"{WEIGHT}.scale", lambda x: x.astype(np.float16)), TensorError, "expected float32"),
        (_value(WEIGHT, -128), TensorError, "holds -128"),
        (_value(f"{WEIGHT}.scale", 0), TensorError, "no scale"),
        (_value(f"{WEIGHT}.scale", -1e-3), TensorError, "no scale"),
        (_value(f"{WEIGHT}.scale", 1e-38), TensorError, "no scale"),
        (_value(f"{WEIGHT}.scale", np.inf), TensorError, "NaN or infinity"),
        (_value(ROUTER, np.nan), TensorError, "NaN or infinity"),
        (_value(ROUTER, 1e30), TensorError, "overflows"),
    ],
)
def test_a_forged_pack_is_refused_and_nothing_changes(
    sound: tuple[dict[str, Any], Tensors],
    running: tuple[sakedge.Student, NDArray[Any]],
    tmp_path: Path,
    edit: Edit,
    error: type[FileFormatError],
    reason: str,
) -> None:
    manifest, tensors = dict(sound[0]), dict(sound[1])
    edit(manifest, tensors)
    _refused(running, _written(tmp_path / "x", manifest, tensors, sign=True), error, reason)


def test_an_integer_that_was_changed_is_found_by_the_digest(
    sound: tuple[dict[str, Any], Tensors],
    running: tuple[sakedge.Student, NDArray[Any]],
    tmp_path: Path,
) -> None:
    manifest, tensors = dict(sound[0]), dict(sound[1])
    manifest["digest"] = component_digest(tensors)
    _value(WEIGHT, 3)(manifest, tensors)
    path = _written(tmp_path / "x", manifest, tensors, sign=False)
    _refused(running, path, DigestError, "changed or damaged")


def _refused(
    running: tuple[sakedge.Student, NDArray[Any]], path: Path, error: type, reason: str
) -> None:
    student, before = running
    with pytest.raises(error, match=reason) as caught:
        student.adapters.swap("sam", path)
    assert type(caught.value) is error and len(str(caught.value)) < 2500
    assert np.array_equal(student(IMAGE, tasks="edge", logits=True)["edge"].logits, before)
