"""Sampling and decoding of maps against float64, and what becomes of numbers that are none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.cuda.arithmetic import U
from tests.cuda.emulator import Emulator

Array = NDArray[np.float64]
COLUMNS, ROWS = 128, 16
"""Of a block."""
KINDS = re.findall(
    r"^DECODER\(\w+, (\w+),",
    (Path(__file__).parents[2] / "csrc" / "cpu" / "kinds.def").read_text(),
    re.MULTILINE,
)
"""Names of the rows, in their order."""
CLASSES = {"labels_u8": 5, "labels_u16": 21, "two_class": 2, "normals": 3}
TYPES: dict[str, Any] = {"labels_u8": np.uint8, "labels_u16": np.uint16}


@dataclass(frozen=True)
class Window:
    """Output pixels (i + 0.5) * scale + offset, in cells; as DecodeJob."""

    height: int
    width: int
    row_scale: float
    row_offset: float
    column_scale: float
    column_offset: float

    def fields(self) -> dict[str, Any]:
        return dict(vars(self))


WINDOWS = [
    Window(1, 1, 1.0, -0.5, 1.0, -0.5),
    Window(20, 28, 0.25, -0.5, 0.25, -0.5),  # four pixels a cell, all of the map
    Window(7, 37, 0.173, -1.9, 0.311, -2.7),  # beyond it, on all sides
    Window(3, 2, 3.3, 0.4, 2.9, 0.1),  # fewer pixels than cells
]
MAP = (5, 7)


def axis(count: int, scale: float, offset: float, cells: int) -> tuple[Any, ...]:
    """Low and high cells, the weight of the high one, and how far that may be off.

    Scale and offset are rounded to float32, and so is the position.
    """
    i = np.arange(count) + 0.5
    position = i * scale + offset
    off = U * (np.abs(i * scale) + abs(offset) + np.abs(position))
    position = np.clip(position, 0, cells - 1)
    low = np.floor(position).astype(int)
    return low, np.minimum(low + 1, cells - 1), position - low, off


def sampled(logits: NDArray[Any], window: Window) -> tuple[Array, Array]:
    """[height, width, classes], and how far it may be off [height, width, 1]."""
    rows = axis(window.height, window.row_scale, window.row_offset, logits.shape[0])
    columns = axis(window.width, window.column_scale, window.column_offset, logits.shape[1])
    low, high, weight, row_off = rows
    values = logits.astype(np.float64)
    weight = weight[:, None, None]
    values = (1 - weight) * values[low] + weight * values[high]
    low, high, weight, column_off = columns
    weight = weight[:, None]
    values = (1 - weight) * values[:, low] + weight * values[:, high]
    # A weight that is off moves the value by the difference of two cells; 8 roundings.
    most = np.nanmax(np.abs(logits))
    error = most * (2 * row_off[:, None] + 2 * column_off + 8 * U)
    return values, error[..., None]


def run(emulator: Emulator, entry: str, jobs: list[dict[str, Any]], **more: Any) -> None:
    map_height, map_width = jobs[0]["map"].shape[:2]
    height, width = (max(job[side] for job in jobs) for side in ("height", "width"))
    emulator.launch(
        entry,
        grid=(-(-width // COLUMNS), -(-height // ROWS), len(jobs)),
        shared=4 * 4096,
        args={
            "jobs": emulator.structs("DecodeJob", jobs),
            "map_height": map_height,
            "map_width": map_width,
        },
        **more,
    )


def job(kind: str, logits: NDArray[Any], window: Window) -> dict[str, Any]:
    shape = (window.height, window.width, *([3] if kind == "normals" else []))
    kind_type = TYPES.get(kind, np.float32)
    fill = 77 if kind in TYPES else np.nan
    return {
        "map": logits,
        "out": np.full(shape, fill, kind_type),
        "decoder": KINDS.index(kind),
        "classes": logits.shape[-1],
        **window.fields(),
    }


def random_map(classes: int) -> NDArray[Any]:
    return 4 * np.random.default_rng(classes).standard_normal((*MAP, classes), np.float32)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def check(kind: str, out: NDArray[Any], logits: Array, error: Array) -> None:
    if kind in TYPES:
        chosen = np.take_along_axis(logits, out[..., None].astype(int), -1)[..., 0]
        # Another label only where two are closer than their errors.
        assert (chosen >= logits.max(-1) - 2 * error[..., 0]).all()
        return
    off = error[..., 0]
    if kind == "normals":
        length = np.linalg.norm(logits, axis=-1, keepdims=True)
        expected = logits / length
        # The vector turns by at most sqrt(3) error / length, rsqrt is off by 2^-22, five roundings.
        bound = 2 * 3**0.5 * error / length + 2.0**-22 + 5 * U
    elif kind == "scalar":
        expected, bound = np.maximum(logits[..., 0], 0), off
    else:
        x = logits[..., 0] if kind == "probability" else logits[..., 1] - logits[..., 0]
        if kind == "two_class":
            off = 2 * off + U * np.abs(x)
        expected = sigmoid(x)
        # By the slope, p (1 - p), which hardly changes so near; then as sigmoid() says.
        bound = 1.01 * expected * (1 - expected) * off + (2.0**-22 + 3 * U) * expected
    off = np.abs(out - expected)
    np.testing.assert_array_less(off, np.broadcast_to(bound + 1e-30, off.shape))


@pytest.mark.parametrize("window", WINDOWS, ids=lambda w: f"{w.height}x{w.width}")
def test_all_kinds_in_one_launch(emulator: Emulator, window: Window) -> None:
    maps = {kind: random_map(CLASSES.get(kind, 1)) for kind in KINDS}
    jobs = [job(kind, maps[kind], window) for kind in KINDS]
    jobs.append(job("scalar", maps["scalar"], WINDOWS[0]))  # a smaller one among them
    run(emulator, "decode", jobs)
    for kind, done in zip(KINDS, jobs, strict=False):
        check(kind, done["out"], *sampled(maps[kind], window))
    check("scalar", jobs[-1]["out"], *sampled(maps["scalar"], WINDOWS[0]))


@pytest.mark.parametrize("window", WINDOWS, ids=lambda w: f"{w.height}x{w.width}")
def test_upsamples_the_logits_themselves(emulator: Emulator, window: Window) -> None:
    maps = [random_map(classes) for classes in (1, 4)]
    jobs = [job("scalar", logits, window) for logits in maps]
    for done, logits in zip(jobs, maps, strict=True):
        done["out"] = np.full((logits.shape[-1], window.height, window.width), np.nan, np.float32)
    run(emulator, "upsample", jobs)
    for done, logits in zip(jobs, maps, strict=True):
        expected, error = sampled(logits, window)
        off = np.abs(np.moveaxis(done["out"], 0, -1) - expected)
        assert (off <= error).all()


def test_columns_that_lie_further_apart_than_shared_memory_reaches(emulator: Emulator) -> None:
    logits = 4 * np.random.default_rng(0).standard_normal((2, 1500, 3), np.float32)
    window = Window(5, 140, 0.4, -0.5, 10.7, -0.5)
    jobs = [job(kind, logits, window) for kind in ("labels_u8", "normals")]
    run(emulator, "decode", jobs)
    for done, kind in zip(jobs, ("labels_u8", "normals"), strict=True):
        check(kind, done["out"], *sampled(logits, window))


def decoded(emulator: Emulator, kind: str, pixel: list[float]) -> list[float]:
    """What one pixel becomes: all cells of the map are alike."""
    logits = np.tile(np.array(pixel, np.float32), (*MAP, 1))
    done = job(kind, logits, Window(1, 1, 1.0, 1.75, 1.0, 1.25))
    run(emulator, "decode", [done])
    return [float(v) for v in done["out"].ravel()]


@pytest.mark.parametrize(
    ("pixel", "label"),
    [
        ([1, 3, 3, 2], 1),
        ([5, 5], 0),
        ([-np.inf, -np.inf], 0),
        ([np.nan, 1], 0),
        ([0, np.nan, 1], 2),
        ([1, np.nan, 0], 0),
        ([*[0.0] * 255, 1], 255),
    ],
    ids=str,
)
def test_the_first_of_the_largest_is_the_label(
    emulator: Emulator, pixel: list[float], label: int
) -> None:
    assert decoded(emulator, "labels_u8", pixel) == [label]
    assert decoded(emulator, "labels_u16", pixel) == [label]


def test_more_labels_than_a_byte_holds(emulator: Emulator) -> None:
    assert decoded(emulator, "labels_u16", [*[0.0] * 300, 1.0, 0.5]) == [300]


def test_sigmoid_of_any_size(emulator: Emulator) -> None:
    x = np.array([-200, -100, -87, -50, -10, -1, -1e-6, 0, 1e-6, 1, 10, 50, 100, 200, 1e30, -1e30])
    for value in [*x, *np.random.default_rng(0).uniform(-87, 87, 40)]:
        single = np.float32(value)
        with np.errstate(over="ignore"):
            expected = sigmoid(np.float64(single))
        (got,) = decoded(emulator, "probability", [float(single)])
        # Beyond 2^-126, where exp2 flushes, nothing is left.
        assert abs(got - expected) <= (2.0**-22 + 3 * U) * expected + 2.0**-125, value
        assert decoded(emulator, "two_class", [0.0, float(single)]) == [got]


def test_numbers_that_are_none_stay_so_or_become_what_the_cpu_makes_of_them(
    emulator: Emulator,
) -> None:
    assert np.isnan(decoded(emulator, "probability", [np.nan])).all()
    assert np.isnan(decoded(emulator, "two_class", [0, np.nan])).all()
    assert np.isnan(decoded(emulator, "normals", [0, 0, np.nan])[2])
    assert decoded(emulator, "scalar", [np.nan]) == [0]


@pytest.mark.parametrize("length", [0.0, 1e-30, 1e-20, 1e-12, 1e-5, 1e15])
def test_normals_of_any_length(emulator: Emulator, length: float) -> None:
    v = np.array([0.48, -0.6, 0.64]) * length
    single = v.astype(np.float32).astype(np.float64)
    expected = single / max(np.linalg.norm(single), 1e-12)
    np.testing.assert_allclose(
        decoded(emulator, "normals", list(v)), expected, rtol=2.0**-22 + 5 * U, atol=0
    )
