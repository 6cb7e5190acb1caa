"""The adapters of one depth against float64."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.cuda import shapes
from tests.cuda.arithmetic import ARITHMETICS, F16, Arithmetic, U
from tests.cuda.emulator import Emulator, Stats
from tests.cuda.reference import (
    NORM_EPSILON,
    double,
    gelu,
    gelu_error,
    layer_norm,
    layer_norm_error,
    product,
    product_error,
)

IMAGE = np.array([1, 0], np.int32)  # the image of each run
TEMPLATES = {16: 64, 48: 64, 64: 64, 80: 96, 192: 192, 208: 256}  # of a real width


@dataclass
class Path:
    """An adapter of a path, and its norm of level 1."""

    arithmetic: Arithmetic
    channels: int
    width: int
    seed: int
    biased: bool = True
    down: NDArray[Any] = field(init=False)
    up: NDArray[Any] = field(init=False)

    def __post_init__(self) -> None:
        random = np.random.default_rng(self.seed)
        c, w = self.channels, self.width
        self.down = self.arithmetic.array(random.standard_normal((w, c), np.float32) / c**0.5)
        self.up = self.arithmetic.array(random.standard_normal((c, w), np.float32) / w**0.5)
        self.down_bias = random.standard_normal(w, np.float32) * self.biased
        self.up_bias = random.standard_normal(c, np.float32) * self.biased
        self.gamma = random.standard_normal(c, np.float32)
        self.beta = random.standard_normal(c, np.float32)

    def table(self, emulator: Emulator, depth: int) -> Any:
        down_bias, up_bias = (self.down_bias, self.up_bias) if self.biased else (None, None)
        down = {"weight": self.down, "bias": down_bias, "out": self.width, "in": self.channels}
        up = {"weight": self.up, "bias": up_bias, "out": self.channels, "in": self.width}
        norm = {"gamma": self.gamma, "beta": self.beta}
        return emulator.struct(
            "Path",
            {
                "down": emulator.structs("Linear", [*[{}] * depth, down]),
                "up": emulator.structs("Linear", [*[{}] * depth, up]),
                "norms": emulator.structs("Norm", [{}, norm]),
                "width": self.width,
            },
        )

    def expected(self, z: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        """r of tokens, and how far float32 with 16-bit operands may be off it."""
        operand = self.arithmetic.array(z)
        inner = product(operand, self.down) + self.down_bias
        error = product_error(operand, self.down) + U * np.abs(inner)
        h = gelu(inner)
        error = gelu_error(inner, error)
        error += self.arithmetic.rounding(np.abs(h) + error)
        up = double(self.up)
        out = h @ up.T
        # h is off by `error`; its products are exact, each addition off as in product_error.
        off = error @ np.abs(up).T
        off += self.width * 2 * U * ((np.abs(h) + error) @ np.abs(up).T)
        out += self.up_bias
        off += U * (np.abs(out) + off)
        out += z
        return out, off + U * (np.abs(out) + off)


@dataclass
class Depth:
    """Launches of one depth: two images, two runs, three slots of which each run uses two."""

    emulator: Emulator
    arithmetic: Arithmetic
    paths: list[list[Path | None]]
    channels: int
    tokens: int
    tile: int = 64
    """Tokens of a block."""

    def __post_init__(self) -> None:
        random = np.random.default_rng(5)
        slots = len(self.paths[0])
        shape = (2, 1 + self.tokens, self.channels)
        self.x = 30 * random.standard_normal(shape, np.float32)
        self.r = 100 * random.standard_normal(
            (len(self.paths), slots, self.tokens, self.channels), np.float32
        )
        self.normed = self.arithmetic.full(self.r.shape)

    def launch(self, *, depth: int = 1, normed: bool = True, **options: Any) -> Stats:
        width = max(p.width for run in self.paths for p in run if p is not None)
        runs, slots = len(self.paths), len(self.paths[0])
        tables = [
            None if p is None else p.table(self.emulator, depth) for run in self.paths for p in run
        ]
        template = TEMPLATES[width]
        return self.emulator.launch(
            f"adapter_path_{self.arithmetic.name}_{self.tile}x{template}",
            grid=(shapes.ceil_div(self.tokens, self.tile), slots, runs),
            shared=shapes.adapter_shared(self.tile, template),
            args={
                "x": self.x,
                "r": self.r,
                "normed": self.normed if normed else None,
                "image": IMAGE[:runs],
                "paths": self.emulator.pointers(tables),
                "depth": depth,
                "level": 1,
                "tokens": self.tokens,
                "channels": self.channels,
                "slots": slots,
            },
            **options,
        )

    def check(self, before: NDArray[np.float32], *, normed: bool = True) -> None:
        for run, paths in enumerate(self.paths):
            x = self.x[IMAGE[run], 1:]
            for slot, path in enumerate(paths):
                r, s = self.r[run, slot], double(self.normed[run, slot])
                if path is None:
                    np.testing.assert_array_equal(r, before[run, slot])
                    assert np.isnan(s).all()
                    continue
                expected, error = path.expected(before[run, slot] + x)
                np.testing.assert_array_less(np.abs(double(r) - expected), error)
                if not normed:
                    assert np.isnan(s).all()
                    continue
                exact = layer_norm(double(r), path.gamma, path.beta, NORM_EPSILON)
                off = layer_norm_error(double(r), 0.0, path.gamma, path.beta, NORM_EPSILON)
                off += self.arithmetic.rounding(np.abs(exact) + off)
                np.testing.assert_array_less(np.abs(s - exact), off)


@pytest.mark.parametrize("arithmetic", ARITHMETICS, ids=lambda a: a.name)
@pytest.mark.parametrize("width", [48, 64, 80, 192, 208])
@pytest.mark.parametrize("tile", [32, 64])
def test_paths_of_several_runs_and_widths(
    emulator: Emulator, arithmetic: Arithmetic, width: int, tile: int
) -> None:
    channels = 144
    paths = [
        [Path(arithmetic, channels, width, 1), None, Path(arithmetic, channels, 16, 2)],
        [None, Path(arithmetic, channels, width, 3, biased=False), None],
    ]
    depth = Depth(emulator, arithmetic, paths, channels, 70, tile)
    before = depth.r.copy()
    stats = depth.launch(seed=width)
    depth.check(before)
    assert stats.bank_conflicts == 0


@pytest.mark.parametrize("channels", [16, 64, 80, 272])
@pytest.mark.parametrize("tokens", [1, 64, 65])
@pytest.mark.parametrize("tile", [32, 64])
def test_any_number_of_tokens_and_channels_in_any_schedule(
    emulator: Emulator, tokens: int, channels: int, tile: int, long: bool
) -> None:
    path = Path(F16, channels, 48, 4)
    for seed in range(30 if long else 2):
        depth = Depth(emulator, F16, [[path]], channels, tokens, tile)
        before = depth.r.copy()
        depth.launch(normed=False, seed=seed, late_copies=seed % 2 == 0)
        depth.check(before, normed=False)


def test_the_first_adapter_reads_the_stem_alone(emulator: Emulator) -> None:
    depth = Depth(emulator, F16, [[Path(F16, 64, 16, 6)]], 64, 20)
    depth.r[:] = np.nan
    depth.launch(depth=0)
    depth.check(np.zeros_like(depth.r))


def test_both_tiles_of_tokens_give_the_same_bits(emulator: Emulator) -> None:
    """A result does not depend on how many images there are beside it."""
    depths = [Depth(emulator, F16, [[Path(F16, 208, 192, 7)]], 208, 70, tile) for tile in (32, 64)]
    for depth in depths:
        depth.launch()
    np.testing.assert_array_equal(depths[0].r, depths[1].r)
    np.testing.assert_array_equal(depths[0].normed, depths[1].normed)
