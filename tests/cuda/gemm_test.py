"""The matrix products against float64, in every tile and type."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.cuda import shapes
from tests.cuda.arithmetic import BF16, F16, Arithmetic, U
from tests.cuda.emulator import Emulator, Stats
from tests.cuda.reference import double, gelu, gelu_error, product, product_error

TYPES = ("f16", "bf16", "s8")
TILES = {**shapes.gemm_tiles(), **shapes.warpgroup_tiles()}


@dataclass
class Layer:
    """A Linear [n, k] of random numbers, and rows [m, k] to multiply."""

    type: str
    m: int
    n: int
    k: int
    seed: int = 0
    a: NDArray[Any] = field(init=False)
    w: NDArray[Any] = field(init=False)

    def __post_init__(self) -> None:
        random = np.random.default_rng(self.seed)
        self.bias = random.standard_normal(self.n, np.float32)
        self.a_scale = self.scale = None
        if self.type == "s8":
            self.a = random.integers(-127, 128, (self.m, self.k), np.int8)
            self.w = random.integers(-127, 128, (self.n, self.k), np.int8)
            self.a_scale = random.uniform(0.5, 2.0, self.m).astype(np.float32) / 127
            self.scale = random.uniform(0.5, 2.0, self.n).astype(np.float32) / 127 / self.k**0.5
        else:
            self.a = self.arithmetic.array(random.standard_normal((self.m, self.k), np.float32))
            w = random.standard_normal((self.n, self.k), np.float32) / self.k**0.5
            self.w = self.arithmetic.array(w)

    @property
    def arithmetic(self) -> Arithmetic:
        """Of the output."""
        return BF16 if self.type == "bf16" else F16

    @property
    def linear(self) -> dict[str, Any]:
        return {
            "weight": self.w,
            "scale": self.scale,
            "bias": self.bias,
            "out": self.n,
            "in": self.k,
        }

    def expected(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """a w^T + bias, and how far float32 may be off it."""
        out = product(self.a, self.w)
        if self.a_scale is None or self.scale is None:
            error = product_error(self.a, self.w)
        else:  # exact in int32, then rounded three times: to float32, and by two products
            out *= double(self.a_scale)[:, None] * double(self.scale)
            error = 3 * U * np.abs(out)
        out += self.bias
        return out, error + U * np.abs(out)


def run(
    emulator: Emulator, layer: Layer, tile: str, args: dict[str, Any], batches: int = 1, **more: Any
) -> Stats:
    shape = TILES[tile]
    if f"gemm_{layer.type}_{tile}" not in emulator.entries:
        pytest.skip("this device has no products of warpgroups")
    given = {
        "a": layer.a,
        "a_scale": layer.a_scale,
        "linear": layer.linear,
        "m": layer.m,
        "a_width": layer.k,
        "out_width": layer.n,
    }
    return emulator.launch(
        f"gemm_{layer.type}_{tile}",
        grid=(shape.blocks_for(layer.m, layer.n), 1, batches),
        shared=shape.shared,
        args=given | args,
        **more,
    )


def close(out: NDArray[Any], expected: NDArray[Any], error: NDArray[Any]) -> None:
    np.testing.assert_array_less(np.abs(double(out) - expected), error + 1e-30)


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("tile", TILES)
def test_ragged_rows_columns_and_k_in_every_tile(emulator: Emulator, tile: str, type: str) -> None:
    shape = TILES[tile]
    layer = Layer(type, shape.m + 9, shape.n + 24, 5 * 32)  # whole k-tiles or two and a half
    out = layer.arithmetic.full((layer.m, layer.n))
    stats = run(emulator, layer, tile, {"out": out, "gelu": 1}, seed=shape.m + shape.n)
    exact, error = layer.expected()
    error = gelu_error(exact, error)
    close(out, gelu(exact), error + layer.arithmetic.rounding(np.abs(gelu(exact)) + error))
    assert stats.bank_conflicts == 0


@pytest.mark.parametrize("tile", ["64x128", "64x64", "w128x64", "w64x64"])
@pytest.mark.parametrize("k", [16, 48, 128, 272])  # fewer k-tiles than stages, and more
def test_any_k_in_any_schedule(emulator: Emulator, tile: str, k: int, long: bool) -> None:
    layer = Layer("f16", 1 + k % 7, 24, k)
    exact, error = layer.expected()
    for seed in range(40 if long else 3):
        out = np.full((layer.m, layer.n), np.nan, np.float32)
        args = {"out": out, "float_out": 1}
        run(emulator, layer, tile, args, seed=seed, late_copies=seed % 2 == 0)
        close(out, exact, error)


@pytest.mark.parametrize("type", TYPES)
def test_residual_in_place(emulator: Emulator, type: str) -> None:
    layer = Layer(type, 70, 40, 64)
    exact, error = layer.expected()
    out = 1000 * np.random.default_rng(1).standard_normal((70, 48), np.float32)
    expected = exact + out[:, :40]
    beside = out[:, 40:].copy()
    args = {"out": out, "residual": out, "float_out": 1, "out_width": 48}
    run(emulator, layer, "64x64", args)
    close(out[:, :40], expected, error + U * np.abs(expected))
    np.testing.assert_array_equal(out[:, 40:], beside)


def test_patch_tokens_go_behind_their_class_token_with_one_position_for_all_images(
    emulator: Emulator,
) -> None:
    images, tokens = 3, 25
    layer = Layer("bf16", images * tokens, 24, 32)
    position = np.random.default_rng(1).standard_normal((1 + tokens, 24), np.float32)
    out = np.full((images, 1 + tokens, 24), np.nan, np.float32)
    args = {"out": out, "residual": position, "float_out": 1, "patch_tokens": tokens}
    run(emulator, layer, "32x64", args)
    exact, error = layer.expected()
    expected = exact.reshape(images, tokens, 24) + position[1:]
    error = error.reshape(expected.shape) + U * np.abs(expected)
    close(out[:, 1:], expected, error)
    assert np.isnan(out[:, 0]).all()


def test_batches_have_layers_of_their_own_in_rows_of_one_width(emulator: Emulator) -> None:
    layers = [Layer("f16", 40, 72, 80, 1), Layer("f16", 40, 24, 48, 2)]
    a = F16.full((4, 40, 80))
    a[0], a[2, :, :48] = layers[0].a, layers[1].a
    out = F16.full((4, 40, 72))
    linears = [emulator.struct("Linear", layer.linear) for layer in layers]
    linears.append(emulator.struct("Linear", {}))  # no columns
    args = {
        "a": a,
        "a_width": 80,
        "a_stride": a[0].size,
        "linear": {"out": 72},
        "linears": emulator.pointers([linears[0], None, linears[1], linears[2]]),
        "out": out,
        "out_stride": out[0].size,
    }
    run(emulator, layers[0], "32x64", args, batches=4)
    for batch, layer in ((0, layers[0]), (2, layers[1])):
        exact, error = layer.expected()
        error += layer.arithmetic.rounding(np.abs(exact) + error)
        close(out[batch, :, : layer.n], exact, error)
    assert np.isnan(out[[1, 3]]).all()
    assert np.isnan(out[2, :, 24:]).all()


def test_rows_of_int8_have_scales_of_their_own_in_each_batch(emulator: Emulator) -> None:
    layer = Layer("s8", 80, 24, 64)
    out = np.full((2, 40, 24), np.nan, np.float32)
    args = {"m": 40, "a_stride": 40 * 64, "out": out, "out_stride": 40 * 24, "float_out": 1}
    run(emulator, layer, "64x64", args, batches=2)
    exact, error = layer.expected()
    close(out.reshape(80, 24), exact, error)


def test_more_row_tiles_than_a_band(emulator: Emulator) -> None:
    layer = Layer("f16", 9 * 32 + 1, 3 * 64 - 8, 16)
    out = np.full((layer.m, layer.n), np.nan, np.float32)
    run(emulator, layer, "32x64", {"out": out, "float_out": 1})
    close(out, *layer.expected())
