"""Prints the coefficients of csrc/cpu/generic/gelu.h: `python tests/kernels/fit_gelu.py`.

Phi(x) = 1/2 + x P(x^2) / Q(x^2) on [0, 5.6], Q(0) = 1. Linearised least squares over Chebyshev
nodes; each round divides by the last Q and puts more weight where the error is large, which levels
the error towards the smallest maximum.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

EDGE = 5.6
DEGREE = 5
NODES = 4000
ROUNDS = 60


def fit() -> tuple[Array, Array, float]:
    """P and Q from the constant term up, and the largest error of Phi."""
    x = EDGE * 0.5 * (1 - np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES))
    s = (x / EDGE) ** 2
    target = np.array([0.5 * math.erf(v / math.sqrt(2)) for v in x]) / x
    powers = s[:, None] ** np.arange(DEGREE + 1)
    columns = np.concatenate([powers, -target[:, None] * powers[:, 1:]], axis=1)
    weight, q = np.ones(NODES), np.ones(NODES)
    best = (np.zeros(0), np.zeros(0), math.inf)
    for _ in range(ROUNDS):
        scale = weight * x / q
        solution = np.linalg.lstsq(columns * scale[:, None], target * scale, rcond=None)[0]
        p_scaled = solution[: DEGREE + 1]
        q_scaled = np.concatenate([[1.0], solution[DEGREE + 1 :]])
        q = powers @ q_scaled
        error = np.abs(x * (powers @ p_scaled / q - target))
        if error.max() < best[2]:
            unscale = EDGE ** (-2.0 * np.arange(DEGREE + 1))
            best = (p_scaled * unscale, q_scaled * unscale, float(error.max()))
        weight = weight * (error / error.max() + 1e-3) ** 0.3
        weight /= weight.max()
    return best


if __name__ == "__main__":
    p, q, error = fit()
    print("P", *(f"{c:.8g}" for c in p))
    print("Q", *(f"{c:.8g}" for c in q))
    print(f"largest error {error:.2g}")
