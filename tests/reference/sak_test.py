"""The reference's own building blocks, checked against closed forms."""

from __future__ import annotations

import math

import numpy as np
from tests.reference.sak import convolve3x3, erf, upsample


def test_erf_agrees_with_the_c_library() -> None:
    x = np.linspace(-7, 7, 2001)
    expected = np.array([math.erf(v) for v in x])
    assert np.abs(erf(x) - expected).max() < 1e-14


def test_upsampling_keeps_a_linear_ramp_linear_inside_and_clamps_outside() -> None:
    ramp = np.arange(5.0)[None, None, :].repeat(3, axis=1)
    up = upsample(ramp, 12, 20)
    assert np.allclose(up[0, 0], np.clip((np.arange(20) + 0.5) / 4 - 0.5, 0, 4))


def test_convolution_sums_the_neighbourhood_and_pads_with_zero() -> None:
    image = np.arange(12.0).reshape(1, 3, 4)
    summed = convolve3x3(image, np.ones((1, 1, 3, 3)), np.array([0.5]))
    assert summed[0, 1, 1] == image[0, 0:3, 0:3].sum() + 0.5
    assert summed[0, 0, 0] == image[0, 0:2, 0:2].sum() + 0.5
