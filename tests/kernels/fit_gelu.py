"""Prints the coefficients of the GELUs in csrc/cpu: `python tests/kernels/fit_gelu.py`.

generic, vector: Phi(x) = 1/2 + x P(x^2) / Q(x^2) on [0, 5.6], Q(0) = 1. Linearised least squares
over Chebyshev nodes; each round divides by the last Q and puts more weight where the error is
large, which levels the error towards the smallest maximum.

avx512: the upper tail 1 - Phi(a) for a >= 0 in 16 segments, number i around the centre i * width,
as polynomials of degree 5 in (a - centre) / width through Chebyshev nodes.
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


SEGMENTS = 16
SEGMENT_DEGREE = 5


def segments() -> tuple[Array, float]:
    """Coefficients [segment, power] of the tail, and their largest error."""
    width = EDGE / (SEGMENTS - 0.5)
    nodes = 0.5 * np.cos(np.pi * (np.arange(SEGMENT_DEGREE + 1) + 0.5) / (SEGMENT_DEGREE + 1))
    dense = np.linspace(-0.5, 0.5, 501)
    rows, largest = [], 0.0
    for segment in range(SEGMENTS):

        def tail(t: Array, centre: float = segment * width) -> Array:
            return np.array([0.5 * math.erfc((centre + width * v) / math.sqrt(2)) for v in t])

        fitted = np.polynomial.polynomial.polyfit(nodes, tail(nodes), SEGMENT_DEGREE)
        error = np.polynomial.polynomial.polyval(dense, fitted) - tail(dense)
        largest = max(largest, float(np.abs(error).max()))
        rows.append(fitted)
    return np.array(rows), largest


if __name__ == "__main__":
    p, q, error = fit()
    print("P", *(f"{c:.8g}" for c in p))
    print("Q", *(f"{c:.8g}" for c in q))
    print(f"largest error {error:.2g}")
    coefficients, error = segments()
    for power in range(SEGMENT_DEGREE + 1):
        print(f"t^{power}", *(f"{c:.8g}" for c in coefficients[:, power]))
    print(f"largest error {error:.2g}")
