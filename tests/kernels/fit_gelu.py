"""Prints the coefficients of the GELUs in csrc: `python tests/kernels/fit_gelu.py`.

generic, vector: Phi(x) = 1/2 + x P(x^2) / Q(x^2) on [0, 5.6], Q(0) = 1. Linearised least squares
over Chebyshev nodes; each round divides by the last Q and puts more weight where the error is
large, which levels the error towards the smallest maximum.

avx512: the upper tail 1 - Phi(a) for a >= 0 in 16 segments, number i around the centre i * width,
as polynomials of degree 5 in (a - centre) / width through Chebyshev nodes.

cuda: the lower tail Phi(-a) = 2^P(a) for a >= 0, P of degree 5. Least squares of the exponent, with
the weight Phi(-a) that an error of it has in the power, levelled as above.
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


EXPONENT_DEGREE = 5


def exponent() -> tuple[Array, float]:
    """Coefficients of P from the constant term up, and the largest error of 2^P."""
    a = EDGE * 0.5 * (1 - np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES))
    phi = np.array([0.5 * math.erfc(v / math.sqrt(2)) for v in a])
    powers = (a / EDGE)[:, None] ** np.arange(EXPONENT_DEGREE + 1)
    level = np.ones(NODES)
    best = (np.zeros(0), math.inf)
    for _ in range(8 * ROUNDS):
        weight = phi * np.sqrt(level)
        solution = np.linalg.lstsq(powers * weight[:, None], np.log2(phi) * weight, rcond=None)[0]
        error = np.abs(np.exp2(powers @ solution) - phi)
        if error.max() < best[1]:
            best = (solution / EDGE ** np.arange(EXPONENT_DEGREE + 1.0), float(error.max()))
        level = level * (error / error.max() + 0.2)
        level = np.maximum(level / level.mean(), 1e-9)
    return best


if __name__ == "__main__":
    p, q, error = fit()
    print("P", *(f"{c:.8g}" for c in p))
    print("Q", *(f"{c:.8g}" for c in q))
    print(f"largest error {error:.2g}")
    coefficients, error = segments()
    for power in range(SEGMENT_DEGREE + 1):
        print(f"t^{power}", *(f"{c:.8g}" for c in coefficients[:, power]))
    print(f"largest error {error:.2g}")
    p, error = exponent()
    print("exponent", *(f"{c:.9g}" for c in p))
    print(f"largest error {error:.2g}")
