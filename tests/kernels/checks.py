"""What the kernel tests share: which kernels they cover, their data and their comparisons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Test = TypeVar("Test", bound=Callable[..., None])

SIZES = (1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 48, 64, 65, 97)
TRIPLES = [
    (m, SIZES[(3 * i + 5) % len(SIZES)], SIZES[(5 * i + 2) % len(SIZES)])
    for i, m in enumerate(SIZES)
]
EPS = 1e-5
ARITHMETICS = ("f32", "bf16", "s8")

checked: set[str] = set()
"""Kernels checked by the tests that were imported."""


def checks(*kernels: str) -> Callable[[Test], Test]:
    """Marks a test as covering these kernels."""
    checked.update(kernels)
    return lambda test: test


def all_of(*names: str) -> tuple[str, ...]:
    """The matrix kernels of these names, in every arithmetic."""
    return tuple(f"{name}_{arithmetic}" for name in names for arithmetic in ARITHMETICS)


def normal(seed: int, *shape: int, scale: float = 1.0) -> F32:
    values = np.random.default_rng(seed).standard_normal(shape) * scale
    return values.astype(np.float32)


def wide(*arrays: F32) -> list[F64]:
    return [a.astype(np.float64) for a in arrays]


def assert_within(got: NDArray[Any], want: F64, bound: F64 | float) -> None:
    assert got.shape == want.shape
    excess = np.abs(got - want) - bound
    assert (excess <= 0).all(), f"{excess.max():.3g} beyond the bound"
