"""Numbers that overflow inside are an error of their image, never a result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.support.pictures import picture

import sakedge
from sakedge.errors import ImageError, NumericError
from sakedge.format import StudentFile, write_student
from sakedge.runtime.engine import Engine

Load = Callable[..., sakedge.Student]


LARGEST = {"adapters.sam": 65504.0, "heads.edge": 2.0**63}
"""Component → what a file may hold in it."""


def overflowing(student: Path, path: Path, component: str) -> Path:
    """The student with the largest weights in a component, which overflow together."""
    signs = np.random.default_rng(0)
    with StudentFile.open(student) as file:
        parts = {name: dict(file.component(name)) for name in file.manifest.components}
        for name, tensor in parts[component].items():
            if name.endswith("weight") and "norm" not in name:
                large = LARGEST[component] * signs.choice([-1, 1], tensor.shape)
                parts[component][name] = large.astype(tensor.dtype)
        write_student(path, file.manifest, parts)
    return path


@pytest.mark.parametrize("component", LARGEST)
@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # NumPy, in the stranger
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
@pytest.mark.parametrize("fit", ["pad", "tile"])
def test_overflow_is_an_error_of_the_image(
    load: Load, tiny_student: Path, tmp_path: Path, component: str, fit: str
) -> None:
    path = overflowing(tiny_student, tmp_path / "student.onnx", component)
    with load(path) as student:
        images = [picture(64, 96 if fit == "pad" else 200, seed) for seed in range(2)]
        with pytest.raises(NumericError, match=r"image could not be computed: numbers overflowed"):
            student(images[0], fit=fit)
        reported: list[sakedge.FrameError] = []
        assert list(student.stream(images, fit=fit, on_error=reported.append)) == []
        assert [type(each.error) for each in reported] == [NumericError, NumericError]


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("logits", [False, True])
def test_only_the_input_that_overflows_is_named(
    tiny_student: Path, precision: str, logits: bool
) -> None:
    inputs = np.zeros((3, 3, 64, 96), np.float32)
    config = {"max_batch": 2}
    with sakedge.load(
        tiny_student, backend="onnxruntime", precision=precision, config=config
    ) as student:
        assert len(student.infer(inputs, logits=logits).images) == 3
        inputs[2, 0, 5, 5] = 1e30
        with pytest.raises(NumericError, match="input 2 could not be computed"):
            student.infer(inputs, logits=logits)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_inputs_that_are_no_numbers_are_refused(student: sakedge.Student, value: float) -> None:
    inputs = np.zeros((1, 3, 64, 96), np.float32)
    inputs[0, 1, 20, 30] = value
    with pytest.raises(ImageError, match="NaN or infinity"):
        student.infer(inputs)


def test_a_batch_reports_one_picture_and_keeps_the_others(
    student: sakedge.Student, monkeypatch: pytest.MonkeyPatch
) -> None:

    infer = Engine._infer
    dark = "the dark one overflows"

    def with_one_bad(self: Engine, batch: np.ndarray, *arguments: object) -> object:
        if batch.mean(axis=(1, 2, 3)).min() < -1.5:
            raise NumericError(dark)
        return infer(self, batch, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Engine, "_infer", with_one_bad)
    pictures = [picture(64, 96, 1), np.zeros((64, 96, 3), np.uint8), picture(64, 96, 2)]
    stream = student.stream(pictures, batch=3)
    assert len(list(stream)) == 2
    assert [each.error.problem for each in stream.errors] == [dark]
