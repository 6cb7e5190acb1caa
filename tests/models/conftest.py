"""Every model on every backend, and the entry point of a third party's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sakedge
from sakedge.backends import registry
from sakedge.format import PartPack, StudentFile, extract_part, write_pack

STRANGER = "tests.support.stranger:ReferenceBackend"
MODELS = [
    ("host", "onnxruntime"),
    ("host", "openvino"),
    ("host", "reference"),
    ("graph", "onnxruntime"),
    ("graph", "openvino"),
]


@pytest.fixture(scope="module")
def _stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Installs the third party's entry point for the tests of this folder."""
    folder = tmp_path_factory.mktemp("site")
    info = folder / "reference-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: reference\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\nreference = {STRANGER}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield


@pytest.fixture(scope="module", params=MODELS, ids="-".join)
def load(
    request: pytest.FixtureRequest, tiny_student: Path, _stranger: None
) -> Callable[..., sakedge.Student]:
    """Loads the tiny student for one of the models."""
    model, backend = request.param

    def load(path: Path = tiny_student, **options: Any) -> sakedge.Student:
        config = {"model": model, **options.pop("config", {})}
        return sakedge.load(path, backend=backend, config=config, **options)

    return load


@pytest.fixture(scope="module")
def student(load: Callable[..., sakedge.Student]) -> Iterator[sakedge.Student]:
    with load() as student:
        yield student


@pytest.fixture
def packs(tiny_student: Path, tmp_path: Path) -> list[Path]:
    """Two versions of `sam` that differ."""
    with StudentFile.open(tiny_student) as file:
        pack = extract_part(file, "adapters.sam")
    written = []
    for version, factor in (("2", 2.0), ("3", -1.0)):
        tensors = {
            k: v * np.float32(factor) if k.startswith("norms.") else v
            for k, v in pack.tensors.items()
        }
        made = PartPack(pack.manifest.model_copy(update={"version": version}), tensors)
        written.append(tmp_path / f"sam-{version}.safetensors")
        write_pack(written[-1], made.manifest, made.tensors)
    return written


@pytest.fixture(scope="module")
def host(tiny_student: Path) -> Iterator[sakedge.Student]:
    """What the others are compared with: its own numbers are compared with float64 elsewhere."""
    with sakedge.load(tiny_student, backend="onnxruntime") as student:
        yield student
