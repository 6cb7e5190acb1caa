"""The main job end to end: an official checkpoint becomes the paper's student.

Random weights, all three sizes of the paper. With all adapters it is compared with stock ONNX
Runtime on the same file, with subsets of them with the NumPy float64 reference.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.reference.sak import ReferenceStudent
from tools.checkpoint import load_state, make_checkpoint

import sakedge
from sakedge.convert import convert
from sakedge.peers.stock.onnxruntime import StockSession

TOLERANCE = 1e-4
"""Of a task's range: what fp32 against fp32, summed in another order, may differ by."""

BACKENDS = ("onnxruntime", "openvino")
HEADS = {"vit_small": 6, "vit_base": 12, "vit_large": 16}


def photograph(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Smooth colours with some grain: closer to a photograph than white noise is."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 255, (height // 16 + 1, width // 16 + 1, 3))
    smooth = coarse.repeat(16, axis=0).repeat(16, axis=1)[:height, :width]
    grain = rng.normal(0, 8, smooth.shape)
    return np.clip(smooth + grain, 0, 255).astype(np.uint8)


def normalised(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """docs/model.md, section 7, without padding: [3, H, W]."""
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    return ((image / 255.0 - mean) / std).transpose(2, 0, 1).astype(np.float32)


def relative_to_range(ours: NDArray[np.floating], theirs: NDArray[np.floating]) -> float:
    return float(np.abs(ours - theirs).max() / np.ptp(theirs))


@pytest.mark.slow
@pytest.mark.parametrize("vit", ["vit_small", "vit_base", "vit_large"])
def test_every_size_agrees_with_stock_and_reference(vit: str, tmp_path: Path) -> None:
    size = (64, 96)
    checkpoint, config = make_checkpoint(
        tmp_path, vit=vit, dataset="pascalcontext", input_size=size, teachers=("dino", "sam")
    )
    path = tmp_path / "student.onnx"
    convert(checkpoint, config, path, size=size)
    image = photograph(*size)
    stock = StockSession(path, threads=2).run(normalised(image)[None])
    state, tasks = load_state(checkpoint), list(stock)
    reference = ReferenceStudent(state, ("dino", "sam"), tasks, HEADS[vit])
    few = tasks[:2]  # the reference convolves at full size, in float64: two tasks are slow enough
    for backend in BACKENDS:
        with sakedge.load(path, backend=backend) as student:
            every = student(image, logits=True)
            for task in tasks:
                assert relative_to_range(every[task].logits, stock[task][0]) < TOLERANCE, task
            for subset in ([], ["sam"]):
                logits, routing = reference(normalised(image), adapters=subset, tasks=few)
                narrowed = student(image, adapters=subset, tasks=few, logits=True)
                for task in few:
                    assert relative_to_range(narrowed[task].logits, logits[task]) < TOLERANCE
                    ours = np.asarray(narrowed.routing[task])
                    np.testing.assert_allclose(ours, routing[task], atol=1e-5)


@pytest.mark.slow
def test_vit_base_at_512_agrees_with_stock(tmp_path: Path) -> None:
    checkpoint, config = make_checkpoint(
        tmp_path, vit="vit_base", dataset="pascalcontext", teachers=("dino", "clip", "sam")
    )
    path = tmp_path / "student.onnx"
    convert(checkpoint, config, path)
    checkpoint.unlink()
    image = photograph(512, 512)
    stock = StockSession(path, threads=2).run(normalised(image)[None])
    for backend in BACKENDS:
        with sakedge.load(path, backend=backend) as student:
            result = student(image, logits=True)
            for task, theirs in stock.items():
                assert relative_to_range(result[task].logits, theirs[0]) < TOLERANCE, task


def test_every_subset_of_adapters_agrees_with_the_reference(tmp_path: Path) -> None:
    teachers = ("a", "b", "c")
    checkpoint, config = make_checkpoint(tmp_path, vit="vit_tiny", teachers=teachers)
    path = tmp_path / "student.onnx"
    convert(checkpoint, config, path)
    with sakedge.load(path) as student:
        image = photograph(*student.input_size)
        reference = ReferenceStudent(load_state(checkpoint), teachers, student.tasks, 3)
        for count in range(4):
            for subset in itertools.combinations(teachers, count):
                logits, _ = reference(normalised(image), adapters=subset)
                result = student(image, adapters=list(subset), logits=True)
                for task in student.tasks:
                    ours = result[task].logits
                    assert relative_to_range(ours, logits[task]) < TOLERANCE, (subset, task)
