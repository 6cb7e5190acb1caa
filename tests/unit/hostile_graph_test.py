"""A graph under right digests that computes other shapes than its student states."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.files import edit_model, sign_graph

import sakedge
from sakedge.backends import registry
from sakedge.errors import BackendError

IMAGE = np.zeros((64, 96, 3), np.uint8)


def _node(model: Any, output: str) -> Any:
    return next(node for node in model.graph.node if output in node.output)


def _routing_per_token(model: Any) -> None:
    _node(model, "mor.2.edge.mean").op_type = "Sqrt"


def _map_of_another_size(model: Any) -> None:
    _node(model, "heads.edge.fuse").attribute[1].ints[:] = [0, 1, 1, 1]


def _stem_of_another_width(model: Any) -> None:
    _node(model, "x2").op_type = "MatMul"


@pytest.mark.parametrize("backend", registry.BACKENDS)
@pytest.mark.parametrize(
    ("model", "spoil"),
    [
        ("graph", _routing_per_token),
        ("graph", _map_of_another_size),
        ("graph", _stem_of_another_width),
        ("host", _stem_of_another_width),
    ],
)
def test_it_is_refused_by_the_runtime_or_by_us(
    tiny_student: Path, tmp_path: Path, backend: str, model: str, spoil: Callable[[Any], None]
) -> None:
    def spoil_and_sign(edited: Any) -> None:
        spoil(edited)
        sign_graph(edited)

    path = edit_model(tiny_student, tmp_path / "student.onnx", spoil_and_sign)
    with (
        pytest.raises(BackendError),
        sakedge.load(path, backend=backend, config={"model": model}) as student,
    ):
        student(IMAGE)
