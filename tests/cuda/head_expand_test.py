"""The expansion of a head's taps against the convolution of the upsampled map, in float64."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.cuda.arithmetic import ARITHMETICS, BF16, F16, SUM, Arithmetic, U
from tests.cuda.device import Device
from tests.cuda.emulator import Emulator, Failure, Stats
from tests.cuda.reference import GELU_SLOPE, double, gelu

Array = NDArray[np.float64]
TOKENS = 4
"""Of a block, along each axis."""
TILES = (24, 64)


def shared(classes: int) -> int:
    """As expand_shared() of heads_shape.h: two stages of 32 channels, of taps, classes and biases;
    where the taps begin, and what lies outside."""
    rows = 6 * (9 * 6 + 2) + -(-classes // 16) * 16
    threads = 128 if classes <= 24 else 256
    return 2 * (64 * rows + 256) + 4 * 6 * (9 * 6 + 2) + 16 * threads


def upsampled(maps: Array) -> Array:
    """[..., h, w, C] at four times the height and width, bilinear with align_corners=False."""
    for axis in (-3, -2):
        n = maps.shape[axis]
        position = np.clip((np.arange(4 * n) + 0.5) / 4 - 0.5, 0, n - 1)
        low = np.floor(position).astype(int)
        high = np.minimum(low + 1, n - 1)
        weight = np.expand_dims(position - low, (-1, -2) if axis == -3 else -1)
        maps = (1 - weight) * maps.take(low, axis) + weight * maps.take(high, axis)
    return maps


def shifted(maps: Array, tap: int, mode: Any = "constant") -> Array:
    """[H, W, C] as tap 3 (dy + 1) + (dx + 1) of a convolution with zero padding sees it."""
    height, width, _ = maps.shape
    dy, dx = divmod(tap, 3)
    return np.pad(maps, ((1, 1), (1, 1), (0, 0)), mode)[dy : dy + height, dx : dx + width]


@dataclass
class Case:
    """A head over a grid, with a map z and a convolution of small whole numbers: the nine taps of
    its convolution are exact in 16 bits."""

    arithmetic: Arithmetic
    height: int
    width: int
    fused: int
    classes: int
    seed: int = 0
    taps: NDArray[Any] = field(init=False)

    def __post_init__(self) -> None:
        random = np.random.default_rng(self.seed)
        self.z = random.integers(-4, 5, (self.height, self.width, 3)).astype(float)
        self.kernel = random.integers(-7, 8, (9, 3, self.fused)) / 64
        self.bias = random.standard_normal(self.fused, np.float32)
        self.last_bias = random.standard_normal(self.classes, np.float32)
        last = np.zeros((-(-self.classes // 8) * 8, self.fused), np.float32)
        last[: self.classes] = random.standard_normal((self.classes, self.fused))
        self.last = self.arithmetic.array(last)
        taps = np.einsum("yxz,tzf->yxtf", self.z, self.kernel).reshape(-1, 9 * self.fused)
        self.taps = self.arithmetic.array(taps)
        np.testing.assert_array_equal(double(self.taps), taps)

    def head(self, emulator: Emulator) -> Any:
        """It in global memory; what the kernel does not read is null."""
        return emulator.struct(
            "Head",
            {
                "fuse_bias": self.bias,
                "last": self.last,
                "last_bias": self.last_bias,
                "fused": self.fused,
                "classes": self.classes,
            },
        )

    def expected(self) -> tuple[Array, Array]:
        """Logits [4 h * 4 w, classes], and how far they may be off."""
        z = upsampled(self.z)
        y = self.bias + sum(shifted(z, t) @ self.kernel[t] for t in range(9))
        # The kernel adds 96 terms, then up to 32 that take off what lies outside: at most as much.
        g = upsampled(
            np.moveaxis(np.abs(double(self.taps)).reshape(*self.z.shape[:2], 9, -1), 2, 0)
        )
        size = np.abs(self.bias) + 2 * sum(shifted(g[t], t, "edge") for t in range(9))
        y_error = 129 * SUM * size
        activation = gelu(y)
        error = 6e-7 * np.abs(y) + GELU_SLOPE * y_error
        error += self.arithmetic.rounding(np.abs(activation) + error)
        last = double(self.last)[: self.classes].T
        logits = activation @ last + self.last_bias
        terms = (np.abs(activation) + error) @ np.abs(last)
        error = error @ np.abs(last) + self.fused * SUM * terms + U * np.abs(logits)
        return logits.reshape(-1, self.classes), error.reshape(-1, self.classes)


def expand(
    emulator: Emulator, runs: list[list[Case]], tile: int, first: int = 0, **more: Any
) -> tuple[Any, ...]:
    """Maps [runs][tasks], of these from `first` on, flags [runs] and counters of heads that share
    grid and arithmetic."""
    cases = [case for run in runs for case in run][first:]
    one = cases[0]
    tokens = one.height * one.width
    width = max(9 * case.fused for case in cases) + 16
    taps = one.arithmetic.full((len(cases), tokens, width))
    for i, case in enumerate(cases):
        taps[i, :, : 9 * case.fused] = case.taps
    stride = 16 * tokens * max(case.classes for case in cases) + 3
    maps = np.full((len(cases), stride), np.nan, np.float32)
    finite = np.ones(len(runs), np.int32)
    stats = emulator.launch(
        f"head_expand_{one.arithmetic.name}_{tile}",
        grid=(-(-one.width // TOKENS), -(-one.height // TOKENS), len(cases)),
        shared=shared(tile),
        args={
            "taps": taps,
            "heads": emulator.pointers([case.head(emulator) for case in cases]),
            "maps": maps,
            "finite": finite,
            "map_stride": stride,
            "first_pair": first,
            "grid_height": one.height,
            "grid_width": one.width,
            "tasks": len(runs[0]),
            "taps_width": width,
        },
        **more,
    )
    written = [
        maps[i, : 16 * tokens * c.classes].reshape(-1, c.classes) for i, c in enumerate(cases)
    ]
    for i, case in enumerate(cases):  # and nothing behind
        assert np.isnan(maps[i, 16 * tokens * case.classes :]).all()
    return written, finite, stats


def check(case: Case, logits: NDArray[Any]) -> None:
    expected, error = case.expected()
    np.testing.assert_array_less(np.abs(logits - expected), error)


@pytest.mark.parametrize("arithmetic", ARITHMETICS, ids=lambda a: a.name)
@pytest.mark.parametrize("grid", [(1, 1), (3, 5), (2, 33), (6, 1), (9, 4)], ids=str)
def test_convolves_the_upsampled_map_at_every_border(
    emulator: Emulator, arithmetic: Arithmetic, grid: tuple[int, int]
) -> None:
    case = Case(arithmetic, *grid, fused=32, classes=5)
    (logits,), finite, stats = expand(emulator, [[case]], 24, seed=grid[1])
    check(case, logits)
    assert finite.tolist() == [1]
    assert stats.bank_conflicts == 0


@pytest.mark.parametrize("tile", TILES)
@pytest.mark.parametrize("classes", [1, 21, 24, 64, 70])
def test_any_number_of_classes(emulator: Emulator, tile: int, classes: int) -> None:
    case = Case(F16, 2, 3, fused=48, classes=classes)
    (logits,), _, _ = expand(emulator, [[case]], tile)
    check(case, logits)


def test_heads_of_different_size_in_one_launch(emulator: Emulator) -> None:
    sizes = [(16, 3), (64, 21)]
    runs = [[Case(BF16, 3, 2, *size, seed=run) for size in sizes] for run in range(2)]
    maps, finite, _ = expand(emulator, runs, 24)
    for case, logits in zip([c for run in runs for c in run], maps, strict=True):
        check(case, logits)
    assert finite.tolist() == [1, 1]


@pytest.mark.parametrize("tile", TILES)
def test_same_in_any_schedule(emulator: Emulator, tile: int, long: bool) -> None:
    case = Case(F16, 4, 5, fused=80, classes=2)
    expected: NDArray[Any] | None = None
    for seed in range(40 if long else 3):
        (logits,), _, _ = expand(emulator, [[case]], tile, seed=seed, late_copies=seed % 2 == 0)
        check(case, logits)
        assert expected is None or np.array_equal(logits, expected)
        expected = logits


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("first", [0, 1, 2])
def test_a_logit_that_is_no_number_marks_its_run(
    emulator: Emulator, value: float, first: int
) -> None:
    runs = [[Case(F16, 2, 2, 16, 3, seed=run), Case(F16, 2, 2, 16, 1)] for run in range(2)]
    runs[1][0].taps[3, 20] = value
    _, finite, _ = expand(emulator, runs, 24, first)
    assert finite.tolist() == [1, 0]


def test_without_a_head_nothing_is_written(emulator: Emulator) -> None:
    case = Case(F16, 1, 1, 16, 1)
    maps = np.full((2, 16), np.nan, np.float32)
    emulator.launch(
        "head_expand_f16_24",
        grid=(1, 1, 2),
        shared=shared(24),
        args={
            "taps": np.stack([case.taps, case.taps]),
            "heads": emulator.pointers([None, case.head(emulator)]),
            "maps": maps,
            "finite": np.ones(1, np.int32),
            "map_stride": 16,
            "first_pair": 0,
            "grid_height": 1,
            "grid_width": 1,
            "tasks": 2,
            "taps_width": 9 * 16,
        },
    )
    assert np.isnan(maps[0]).all()
    check(case, maps[1][:, None])


def test_stages_need_their_shared_memory(emulator: Emulator) -> None:
    if isinstance(emulator, Device):
        pytest.skip("a device does not see accesses out of bounds of shared memory")
    case = Case(F16, 1, 1, 32, 1)
    with pytest.raises(Failure):
        launch_with(emulator, case, shared(24) - 48)


def launch_with(emulator: Emulator, case: Case, size: int) -> Stats:
    """One block with so many bytes of shared memory."""
    return emulator.launch(
        "head_expand_f16_24",
        grid=(1, 1, 1),
        shared=size,
        args={
            "taps": case.taps,
            "heads": emulator.pointers([case.head(emulator)]),
            "maps": np.zeros((16, 1), np.float32),
            "finite": np.ones(1, np.int32),
            "map_stride": 16,
            "first_pair": 0,
            "grid_height": 1,
            "grid_width": 1,
            "tasks": 1,
            "taps_width": 9 * 32,
        },
    )
