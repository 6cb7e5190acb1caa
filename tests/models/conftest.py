"""Every model on every backend, and the entry point of a third party's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import sakedge
from sakedge.backends import registry

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


@pytest.fixture(scope="module")
def host(tiny_student: Path) -> Iterator[sakedge.Student]:
    """What the others are compared with: its own numbers are compared with float64 elsewhere."""
    with sakedge.load(tiny_student, backend="onnxruntime") as student:
        yield student
