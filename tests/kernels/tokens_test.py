"""What is done number by number or token by token, against float64, over awkward sizes."""

from __future__ import annotations

import numpy as np
import pytest
from tests.kernels import bounds, reference
from tests.kernels.checks import EPS, SIZES, assert_within, checks, normal, wide
from tests.kernels.machines import Kernels


@checks("gelu_f32")
def test_gelu(kernels: Kernels) -> None:
    x = np.concatenate(
        [np.linspace(-12, 12, 48001), [0.0, -0.0, 1e-30, -1e-30, 5.6, -5.6, 1e4, -1e4]]
    ).astype(np.float32)
    want = reference.gelu(x.astype(np.float64))
    assert_within(kernels("gelu_f32", x), want, bounds.gelu(want * 0 + x))


def test_gelu_of_the_largest_negatives_is_nearly_zero(kernels: Kernels) -> None:
    x = np.float32(2.0) ** np.arange(2.6, 127.0, 0.1, dtype=np.float32)
    assert np.abs(kernels("gelu_f32", -x)).max() <= 28 * bounds.U


def test_gelu_over_every_exponent(kernels: Kernels) -> None:
    mantissas = np.random.default_rng(0).integers(0, 1 << 23, (255, 200), dtype=np.uint32)
    bits = mantissas | (np.arange(255, dtype=np.uint32)[:, None] << 23)
    for sign in (1, -1):
        x = sign * bits.ravel().view(np.float32)
        want = reference.gelu(x.astype(np.float64))
        # Subnormal results are rounded to the next multiple of 2^-149.
        assert_within(kernels("gelu_f32", x), want, bounds.gelu(x.astype(np.float64)) + 2.0**-149)


@checks("layer_norm_f32")
@pytest.mark.parametrize("offset", [0.0, 30.0])
@pytest.mark.parametrize("c", SIZES)
def test_layer_norm(kernels: Kernels, c: int, offset: float) -> None:
    x, gamma, beta = normal(1, 5, c) + np.float32(offset), normal(2, c), normal(3, c)
    got = kernels("layer_norm_f32", x, gamma, beta, [EPS])
    xd, gd, bd = wide(x, gamma, beta)
    want = reference.layer_norm(xd, gd, bd, EPS)
    assert_within(got, want, bounds.layer_norm(xd, gd, bd, EPS))


def test_layer_norm_of_a_constant_is_its_bias(kernels: Kernels) -> None:
    beta = normal(1, 24)
    got = kernels("layer_norm_f32", np.full((3, 24), 2.5), beta, beta, [EPS])
    np.testing.assert_array_equal(got, np.tile(beta, (3, 1)))


@checks("mix_f32")
@pytest.mark.parametrize("experts", [1, 2, 5])
@pytest.mark.parametrize("c", SIZES)
def test_mix(kernels: Kernels, c: int, experts: int) -> None:
    inputs = [normal(i, 3, c) for i in range(experts)]
    weights = normal(99, experts)
    stacked = np.stack(wide(*inputs)) * weights.astype(np.float64)[:, None, None]
    got = kernels("mix_f32", np.stack(inputs), weights)
    assert_within(got, stacked.sum(0), bounds.U * (experts + 1) * np.abs(stacked).sum(0))
