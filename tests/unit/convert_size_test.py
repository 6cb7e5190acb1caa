"""Another input size: the position embedding is resampled, but only when asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tools.checkpoint import load_state, make_checkpoint

from sakedge.convert import convert
from sakedge.convert.position import resample, source_grid
from sakedge.errors import CheckpointError
from sakedge.format import StudentFile

CUBIC = -0.75
"""The coefficient of torch's bicubic kernel."""


def _kernel(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' cubic convolution kernel (1981), with the coefficient above."""
    x = np.abs(x)
    near = (CUBIC + 2) * x**3 - (CUBIC + 3) * x**2 + 1
    far = CUBIC * (x**3 - 5 * x**2 + 8 * x - 4)
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


def _matrix(source: int, target: int) -> NDArray[np.float64]:
    """[target, source]: half-pixel centres, positions beyond the edge take the edge's value."""
    matrix = np.zeros((target, source))
    for i in range(target):
        at = (i + 0.5) * source / target - 0.5
        for tap in range(int(np.floor(at)) - 1, int(np.floor(at)) + 3):
            matrix[i, np.clip(tap, 0, source - 1)] += _kernel(np.array(at - tap))
    return matrix


@pytest.mark.parametrize(
    ("source", "target"), [((4, 6), (8, 6)), ((4, 4), (7, 3)), ((9, 5), (3, 4))]
)
def test_resampling_is_bicubic_and_keeps_the_class_token(
    source: tuple[int, int], target: tuple[int, int]
) -> None:
    embedding = np.random.default_rng(0).standard_normal((1, 1 + source[0] * source[1], 8))
    found = resample(embedding.astype(np.float32), source, target)
    grid = embedding[0, 1:].reshape(*source, 8)
    rows, columns = (_matrix(s, t) for s, t in zip(source, target, strict=True))
    expected = np.einsum("as,bt,stc->abc", rows, columns, grid).reshape(-1, 8)
    assert np.array_equal(found[0, 0], embedding[0, 0].astype(np.float32))
    # Sixteen products of order 1 in float32.
    assert np.abs(found[0, 1:] - expected).max() < 16 * 2.0**-23 * 4


def test_the_source_grid_is_the_trainings_or_a_square() -> None:
    assert source_grid(1 + 24, (4, 6)) == (4, 6)
    assert source_grid(1 + 576, (28, 36)) == (24, 24)  # as pretrained at 384 x 384
    with pytest.raises(CheckpointError, match="fits no grid"):
        source_grid(1 + 25 + 1, (4, 6))


def test_a_student_is_converted_to_the_size_asked_for(tmp_path: Path) -> None:
    checkpoint, config = make_checkpoint(tmp_path, width=48, blocks=4, attention_heads=3)
    report = convert(checkpoint, config, tmp_path / "student.onnx", size=(96, 64))
    assert report.manifest.input_size == (96, 64)
    assert "position embedding resampled from 4 x 6 to 6 x 4 tokens" in report.notes
    trained = load_state(checkpoint)["backbone.vit.pos_embed"]
    with StudentFile.open(tmp_path / "student.onnx") as file:
        stored = file.component("stem")["stem.pos_embed"]
    assert np.array_equal(stored, resample(trained, (4, 6), (6, 4)))


def test_the_trained_size_asked_for_changes_nothing(tmp_path: Path) -> None:
    checkpoint, config = make_checkpoint(tmp_path, width=48, blocks=4, attention_heads=3)
    asked = convert(checkpoint, config, tmp_path / "asked.onnx", size=(64, 96))
    plain = convert(checkpoint, config, tmp_path / "plain.onnx")
    assert asked.manifest == plain.manifest and asked.notes == plain.notes
