"""What the kernels compute, in float64, and how far float32 may be off it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf
from tests.cuda.arithmetic import SUM, U

Array = NDArray[np.float64]
GELU_SLOPE = 1.13
"""Largest |derivative| of GELU, at sqrt(2)."""
NORM_EPSILON = 1e-5


def double(values: NDArray[Any]) -> Array:
    """Values of memory as float64; uint16 are bfloat16."""
    if values.dtype == np.uint16:
        values = (values.astype(np.uint32) << 16).view(np.float32)
    return values.astype(np.float64)


def gelu(x: Array) -> Array:
    return 0.5 * x * (1.0 + erf(x / np.sqrt(2.0)))


def gelu_error(x: Array, error: Array) -> Array:
    """Of GELU in float32 (csrc/cuda/kernels/gelu.h) at x that is off by `error`."""
    return GELU_SLOPE * error + 6e-7 * (np.abs(x) + error)


def product(a: NDArray[Any], w: NDArray[Any]) -> Array:
    """a w^T."""
    return double(a) @ double(w).T


def product_error(a: NDArray[Any], w: NDArray[Any]) -> Array:
    """Of a sum of k products that are exact, each addition off by SUM of what it adds up to."""
    return a.shape[1] * SUM * (np.abs(double(a)) @ np.abs(double(w)).T)


def layer_norm(x: Array, gamma: NDArray[Any], beta: NDArray[Any], epsilon: float) -> Array:
    centred = x - x.mean(-1, keepdims=True)
    deviation = np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon)
    return centred / deviation * double(gamma) + double(beta)


def layer_norm_error(
    x: Array, error: Array | float, gamma: NDArray[Any], beta: NDArray[Any], epsilon: float
) -> Array:
    """Of LayerNorm in float32, its sums centred, of x that is off by `error`.

    The mean and the variance are sums of n; the root is off by 2^-22 (dev::rsqrt), and values are
    rounded when they are centred, scaled, and multiplied and added.
    """
    n = x.shape[-1]
    error = np.broadcast_to(error, x.shape)
    mean = x.mean(-1, keepdims=True)
    off_mean = (error + n * U * np.abs(x)).mean(-1, keepdims=True)
    centred = np.abs(x - mean)
    off = error + off_mean + U * centred
    square = (centred**2).mean(-1, keepdims=True) + epsilon
    off_square = (2 * centred * off + off**2).mean(-1, keepdims=True) + n * U * square
    # 1 / sqrt(1 - e) - 1 <= 0.6 e where e <= 0.2.
    assert (off_square <= 0.2 * square).all()
    relative = 0.6 * off_square / square + 2.0**-22 + 2 * U
    normalised = centred / np.sqrt(square)
    off_normalised = off / np.sqrt(square) * (1 + relative) + normalised * relative
    scaled = (normalised + off_normalised) * np.abs(gamma)
    return off_normalised * np.abs(gamma) + 2 * U * (scaled + np.abs(beta))
