"""NaN, infinity and overflow stay in what is computed from them, on every instruction set.

A clamp or a maximum that drops NaN would make a plausible result of it.
"""

from __future__ import annotations

import numpy as np
import pytest
from tests.kernels import lerps
from tests.kernels.checks import ARITHMETICS, EPS, F32, SIZES, checks, normal
from tests.kernels.machines import Kernels

NAN, INFINITE = np.float32(np.nan), np.float32(np.inf)


def having(value: np.float32, at: int, *shape: int) -> F32:
    values = normal(7, *shape)
    values.ravel()[at] = value
    return values


@checks("magnitude_f32")
@pytest.mark.parametrize("size", SIZES)
def test_magnitude(kernels: Kernels, size: int) -> None:
    x = normal(1, size)
    np.testing.assert_array_equal(kernels("magnitude_f32", x), [np.abs(x).max()])
    for at in {0, size // 2, size - 1}:
        assert kernels("magnitude_f32", having(INFINITE, at, size))[0] == INFINITE
        assert kernels("magnitude_f32", having(-INFINITE, at, size))[0] == INFINITE
        assert np.isnan(kernels("magnitude_f32", having(NAN, at, size))[0])
        assert np.isnan(kernels("magnitude_f32", having(-NAN, at, size))[0])


def test_magnitude_of_nothing_is_zero(kernels: Kernels) -> None:
    np.testing.assert_array_equal(kernels("magnitude_f32", np.zeros(0, np.float32)), [0])


@pytest.mark.parametrize("at", [0, 3, 8, 18])
def test_gelu_keeps_nan_and_infinity(kernels: Kernels, at: int) -> None:
    for value in (NAN, -NAN):
        got = kernels("gelu_f32", having(value, at, 19))
        np.testing.assert_array_equal(np.isnan(got), np.arange(19) == at)
    assert kernels("gelu_f32", having(INFINITE, at, 19))[at] == INFINITE


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize("value", [NAN, INFINITE, -INFINITE])
@pytest.mark.parametrize("at", [0, 20, 49])
def test_a_row_with_nan_or_infinity_gives_no_number(
    kernels: Kernels, arithmetic: str, value: np.float32, at: int
) -> None:
    x, w = having(value, 50 + at, 3, 50), normal(2, 50, 33)
    got = kernels(f"linear_{arithmetic}", x, w, None, None)
    assert not np.isfinite(got[1]).any()
    assert np.isfinite(got[[0, 2]]).all()


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize("value", [NAN, INFINITE])
def test_a_column_with_nan_or_infinity_gives_no_number(
    kernels: Kernels, arithmetic: str, value: np.float32
) -> None:
    x, w = normal(1, 3, 50), having(value, 7 * 33 + 5, 50, 33)
    got = kernels(f"linear_{arithmetic}", x, w, None, None)
    np.testing.assert_array_equal(np.isfinite(got).all(axis=0), np.arange(33) != 5)


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize("value", [NAN, INFINITE])
def test_an_adapter_keeps_nan_and_infinity(
    kernels: Kernels, arithmetic: str, value: np.float32
) -> None:
    x, r = having(value, 24 + 5, 3, 24), np.zeros((3, 24), np.float32)
    down, up = normal(2, 24, 6), normal(3, 6, 24)
    got = kernels(f"adapter_{arithmetic}", x, r, down, normal(4, 6), up, normal(5, 24))
    assert not np.isfinite(got[1, 5])
    assert np.isfinite(got[[0, 2]]).all()


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize("value", [NAN, INFINITE])
def test_a_router_keeps_nan_and_infinity(
    kernels: Kernels, arithmetic: str, value: np.float32
) -> None:
    x, ones = having(value, 24 + 5, 3, 24), np.ones(10, np.float32)
    got = kernels(f"router_{arithmetic}", x, normal(2, 24, 10), normal(3, 10), ones, ones, [EPS])
    assert np.isnan(got).all()


@pytest.mark.parametrize("value", [NAN, INFINITE, np.float32(1e30)])
def test_layer_norm_is_nan_where_its_variance_is_no_number(
    kernels: Kernels, value: np.float32
) -> None:
    x, gamma, beta = having(value, 24 + 5, 3, 24), normal(2, 24), normal(3, 24)
    got = kernels("layer_norm_f32", x, gamma, beta, [EPS])
    assert np.isnan(got[1]).all()
    assert np.isfinite(got[[0, 2]]).all()


@pytest.mark.parametrize("value", [NAN, INFINITE])
def test_mix_keeps_nan_and_infinity(kernels: Kernels, value: np.float32) -> None:
    inputs = having(value, 9, 2, 3, 24)
    for weight in (0.5, 0.0):  # a weight of zero does not hide it
        got = kernels("mix_f32", inputs, np.float32([weight, 1 - weight]))
        np.testing.assert_array_equal(np.isfinite(got).ravel(), np.arange(72) != 9)


@pytest.mark.parametrize("value", [NAN, INFINITE])
def test_a_head_keeps_nan_and_infinity(kernels: Kernels, value: np.float32) -> None:
    maps = having(value, 4 * 4 * 17 + 3, 9, 2, 2, 17)
    axis = lerps.expansion(2, 8)
    last = np.abs(normal(3, 3, 17)) + np.float32(0.1)
    got = kernels("head_expand_f32", maps, axis, axis, normal(2, 17), last, normal(4, 3), None)
    assert not np.isfinite(got[:4, :4]).all(axis=-1).any()
