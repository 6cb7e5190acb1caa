"""The peers: a whole student in each stock runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sakedge.errors import BackendError
from sakedge.format import StudentFile
from sakedge.peers.stock import STOCK, open_stock, precisions


@pytest.mark.parametrize("name", STOCK)
def test_a_stock_runtime_runs_a_student(name: str, tiny_student: Path) -> None:
    with StudentFile.open(tiny_student) as file:
        manifest = file.manifest
    images = np.random.default_rng(0).standard_normal((2, 3, *manifest.input_size), np.float32)
    logits = open_stock(name, tiny_student, threads=2).run(images)
    assert {task: array.shape for task, array in logits.items()} == {
        task.name: (2, task.classes, *manifest.input_size) for task in manifest.tasks
    }


def test_the_stock_runtimes_agree(tiny_student: Path) -> None:
    with StudentFile.open(tiny_student) as file:
        size = file.manifest.input_size
    images = np.random.default_rng(0).standard_normal((1, 3, *size), np.float32)
    one, other = (open_stock(name, tiny_student, threads=1).run(images) for name in STOCK)
    for task, logits in one.items():
        assert np.abs(logits - other[task]).max() < 1e-4 * np.ptp(logits)


@pytest.mark.parametrize("name", STOCK)
def test_a_file_that_is_no_model_is_a_backend_error(name: str, tmp_path: Path) -> None:
    (tmp_path / "student.onnx").write_bytes(b"no model")
    with pytest.raises(BackendError, match=r"refused .*student\.onnx"):
        open_stock(name, tmp_path / "student.onnx", threads=1)


@pytest.mark.parametrize("name", STOCK)
def test_a_precision_that_a_stock_runtime_lacks_is_refused(name: str, tiny_student: Path) -> None:
    assert precisions(name)[0] == "fp32"
    with pytest.raises(BackendError, match="fp32"):
        open_stock(name, tiny_student, threads=1, precision="int8")
