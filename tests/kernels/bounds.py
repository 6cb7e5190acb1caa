"""How far float32 may be from float64, from the sizes and the data: first-order error analysis.

U is half a unit in the last place. A sum of n products is off by at most (n + 1) U times the sum of
their absolute values, in any order of addition.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

U = 2.0**-24
GELU_SLOPE = 1.13
"""Largest slope of GELU."""
SLACK = 1.01
"""For the terms of higher order."""


def linear(x: Array, weight: Array, *added: Array, x_error: Array | float = 0.0) -> Array:
    """Of `x @ weight` plus `added`, for an x that is itself off by x_error."""
    size = np.abs(x) @ np.abs(weight) + sum(np.abs(a) for a in added)
    propagated = np.broadcast_to(x_error, x.shape) @ np.abs(weight)
    return SLACK * ((len(weight) + 1 + len(added)) * U * size + propagated)


def gelu(x: Array, x_error: Array | float = 0.0) -> Array:
    """The stated 5 U |x| (see gelu.h) and the error of x."""
    return SLACK * (5 * U * np.abs(x) + GELU_SLOPE * x_error)


def layer_norm(
    x: Array, gamma: Array, beta: Array, eps: float, x_error: Array | float = 0.0
) -> Array:
    """Sums run in 4 lanes or more: one of C terms is off by (C / 4 + 4) U of its absolute terms."""
    terms = x.shape[-1] / 4 + 4
    center = x.mean(-1, keepdims=True)
    sigma = np.sqrt(x.var(-1, keepdims=True) + eps)
    normed = (x - center) / sigma
    incoming = np.broadcast_to(x_error, x.shape).max(-1, keepdims=True)
    # A shift of the mean, the rounding of x - mean, and an x that is off, each move x - mean.
    moved = (terms + 1) * U * np.abs(x).mean(-1, keepdims=True) + U * np.abs(x - center)
    moved = moved + 2 * incoming
    sigma_relative = (terms + 6) * U + moved.max(-1, keepdims=True) / sigma
    off = moved / sigma + np.abs(normed) * sigma_relative
    return SLACK * (np.abs(gamma) * (off + 3 * U * np.abs(normed)) + U * np.abs(beta))


def sample(plane: Array) -> float:
    """Of a bilinear sample: four products of weights that are themselves rounded."""
    return float(SLACK * 8 * U * np.abs(plane).max())
