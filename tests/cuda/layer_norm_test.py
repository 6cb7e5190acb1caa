"""layer_norm_* and quantize_* against float64 and the rule of int8 rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.cuda.arithmetic import ARITHMETICS, Arithmetic, U
from tests.cuda.emulator import Emulator, floats

EPSILON = np.float32(1e-6)
RSQRT = 2.0**-22
"""Relative error of rsqrt.approx."""
SIZES = [8, 64, 384, 768, 1024, 1096, 2304]

Array = NDArray[np.float64]
F32 = NDArray[np.float32]

arithmetics = pytest.mark.parametrize("arithmetic", ARITHMETICS, ids=lambda a: a.name)
sizes = pytest.mark.parametrize("channels", SIZES)


def residuals(channels: int) -> F32:
    """Eleven rows: small, large, far from zero, with one channel of a thousand, constant."""
    random = np.random.default_rng(channels)
    x = random.normal(size=(11, channels))
    x[1] *= 1000
    x[2] += 1000
    x[3, channels // 2] = 1000
    x[4] = 1000 * random.normal(size=channels) + 5000
    x[5] = 3.1
    return x.astype(np.float32)


def norm(channels: int) -> tuple[F32, F32]:
    random = np.random.default_rng(1)
    gamma, beta = random.normal(size=(2, channels)).astype(np.float32)
    return gamma, beta


def expected(x: F32, gamma: F32, beta: F32) -> tuple[Array, Array]:
    """Results, and how far float32 may be off.

    A lane adds its part of a row, then lanes add in pairs: each term goes through C / 32 + 8
    additions at most. An error of the mean moves all centred values.
    """
    x64 = x.astype(np.float64)
    terms = x.shape[1] / 32 + 8
    centred = x64 - x64.mean(-1, keepdims=True)
    sigma = np.sqrt((centred**2).mean(-1, keepdims=True) + float(EPSILON))
    normed = centred / sigma
    moved = (terms + 1) * U * np.abs(x64).mean(-1, keepdims=True) + U * np.abs(centred)
    # The square of a mean's error adds to a variance that may be less, as a constant row's is.
    largest = moved.max(-1, keepdims=True) / sigma
    sigma_off = largest + largest**2 + (terms + 3) * U + RSQRT
    off = np.abs(gamma) * (moved / sigma + (np.abs(normed) + moved / sigma) * (sigma_off + 3 * U))
    results = normed * gamma + beta
    return results, 1.01 * off + U * np.abs(results)


def layer_norm(emulator: Emulator, name: str, x: F32, out: NDArray[Any], scale: F32 | None) -> None:
    gamma, beta = norm(x.shape[1])
    emulator.launch(
        f"layer_norm_{name}",
        grid=(-(-len(x) // 8), 1, 1),
        shared=8 * x.shape[1],
        args={
            "x": x,
            "norm": {"gamma": gamma, "beta": beta},
            "out": out,
            "scale": scale,
            "rows": len(x),
            "channels": x.shape[1],
            "epsilon": EPSILON,
        },
    )


def quantize(emulator: Emulator, arithmetic: Arithmetic, x: NDArray[Any]) -> tuple[Any, F32]:
    out = np.full(x.shape, -128, np.int8)
    scale = np.full(len(x), -1, np.float32)
    emulator.launch(
        f"quantize_{arithmetic.name}",
        grid=(-(-len(x) // 8), 1, 1),
        args={"in": x, "out": out, "scale": scale, "rows": len(x), "channels": x.shape[1]},
    )
    return out, scale


@arithmetics
@sizes
def test_rows_are_normalised(emulator: Emulator, arithmetic: Arithmetic, channels: int) -> None:
    x = residuals(channels)
    out = arithmetic.full(x.shape)
    layer_norm(emulator, arithmetic.name, x, out, None)
    results, off = expected(x, *norm(channels))
    bound = off * (1 + arithmetic.unit) + arithmetic.rounding(results)
    assert (np.abs(floats(out) - results) <= bound).all()


@sizes
def test_rows_are_normalised_to_int8(emulator: Emulator, channels: int) -> None:
    x = residuals(channels)
    out = np.full(x.shape, -128, np.int8)
    scale = np.full(len(x), -1, np.float32)
    layer_norm(emulator, "s8", x, out, scale)
    results, off = expected(x, *norm(channels))
    range_off = off.max(-1)
    largest = np.abs(results).max(-1)
    assert (np.abs(scale - largest / 127) <= (range_off + U * largest) / 127).all()
    # A cell is the value times 127 / range, two roundings, to the nearest integer.
    steps = np.abs(out - results / scale[:, None].astype(np.float64))
    assert (steps <= 0.5 + 127 * 4 * U + off / scale[:, None]).all()
    np.testing.assert_array_equal(np.abs(out.astype(int)).max(-1), 127)


@arithmetics
@pytest.mark.parametrize("channels", [8, 768, 2304, 4096])
def test_rows_are_quantised_by_the_rule(
    emulator: Emulator, arithmetic: Arithmetic, channels: int
) -> None:
    """Bit for bit that of csrc/cpu/kernel_table.h."""
    x = arithmetic.array(residuals(channels) * np.float32(0.1))
    x[6] = arithmetic.array(np.arange(channels) % 2 * 127 - np.arange(channels) % 5 / 2)  # ties
    values = floats(x)
    out, scale = quantize(emulator, arithmetic, x)
    largest = np.abs(values).max(-1, keepdims=True)
    np.testing.assert_array_equal(scale[:, None], largest / np.float32(127))
    np.testing.assert_array_equal(out, np.rint(values * (np.float32(127) / largest)))


@arithmetics
def test_a_row_of_zeros_has_scale_zero(emulator: Emulator, arithmetic: Arithmetic) -> None:
    x = arithmetic.array(np.zeros((3, 64)))
    x[1] = arithmetic.array(np.ones(64))
    x[2] = arithmetic.array(np.full(64, 2.0**-101))  # counts as zero
    out, scale = quantize(emulator, arithmetic, x)
    np.testing.assert_array_equal(scale, np.float32([0, np.float32(1) / np.float32(127), 0]))
    np.testing.assert_array_equal(out, [[0] * 64, [127] * 64, [0] * 64])


@arithmetics
@pytest.mark.parametrize("value", [np.nan, -np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("at", [0, 100, 767, 2303])
def test_int8_does_not_hide_what_is_no_number(
    emulator: Emulator, arithmetic: Arithmetic, value: float, at: int
) -> None:
    values = np.random.default_rng(2).normal(size=(3, 2304))
    values[1, at] = value
    out, scale = quantize(emulator, arithmetic, arithmetic.array(values))
    np.testing.assert_array_equal(np.isfinite(scale), [True, False, True])
    assert not out[1].any()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
@pytest.mark.parametrize("at", [0, 100, 1090])
def test_a_row_whose_variance_is_no_number_is_none(
    emulator: Emulator, value: float, at: int
) -> None:
    x = np.random.default_rng(2).normal(size=(3, 1096)).astype(np.float32)
    x[1, at] = value
    for arithmetic in ARITHMETICS:
        out = arithmetic.full(x.shape, 0)
        layer_norm(emulator, arithmetic.name, x, out, None)
        assert np.isnan(floats(out)[1]).all()
        assert np.isfinite(floats(out)[[0, 2]]).all()
    scale = np.zeros(3, np.float32)
    layer_norm(emulator, "s8", x, np.zeros(x.shape, np.int8), scale)
    np.testing.assert_array_equal(np.isnan(scale), [False, True, False])
