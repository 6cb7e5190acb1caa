"""A graph under right digests that computes something else than its student states."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.files import edit_model, sign_graph
from tests.support.pictures import same

import sakedge
from sakedge.backends import registry
from sakedge.errors import BackendError

IMAGE = np.zeros((64, 96, 3), np.uint8)


def _node(model: Any, output: str) -> Any:
    return next(node for node in model.graph.node if output in node.output)


def _spoil_router(model: Any) -> None:
    _node(model, "mor.2.edge.mean").op_type = "Sqrt"


def _spoil_head(model: Any) -> None:
    _node(model, "heads.edge.fuse").attribute[1].ints[:] = [0, 1, 1, 1]


def _spoil_stem(model: Any) -> None:
    _node(model, "x2").op_type = "MatMul"


def spoilt(student: Path, path: Path, *spoil: Callable[[Any], None]) -> Path:
    def spoil_and_sign(model: Any) -> None:
        for each in spoil:
            each(model)
        sign_graph(model)

    return edit_model(student, path, spoil_and_sign)


@pytest.mark.parametrize("backend", registry.BACKENDS)
def test_a_stem_of_another_width_is_refused_by_the_runtime_or_by_us(
    tiny_student: Path, tmp_path: Path, backend: str
) -> None:
    path = spoilt(tiny_student, tmp_path / "student.onnx", _spoil_stem)
    with (
        pytest.raises(BackendError),
        sakedge.load(path, backend=backend, config={"model": "host"}) as student,
    ):
        student(IMAGE)


@pytest.mark.parametrize(
    ("model", "spoil"),
    [
        ("host", (_spoil_router, _spoil_head)),
        ("graph", (_spoil_router, _spoil_head, _spoil_stem)),
    ],
)
def test_what_we_compute_ourselves_is_not_the_files_to_change(
    tiny_student: Path, tmp_path: Path, model: str, spoil: tuple[Callable[[Any], None], ...]
) -> None:
    path = spoilt(tiny_student, tmp_path / "student.onnx", *spoil)
    options = {"backend": "onnxruntime", "config": {"model": model}}
    with (
        sakedge.load(path, **options) as student,  # type: ignore[arg-type]
        sakedge.load(tiny_student, **options) as whole,  # type: ignore[arg-type]
    ):
        assert same(student(IMAGE), whole(IMAGE), 0)
