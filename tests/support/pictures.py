"""Pictures made of squares, and results compared."""

from __future__ import annotations

import numpy as np

import sakedge

FLOAT32_NOISE = 1e-4
"""Of values of order 1: the same sums in another order or grouping."""


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
    return coarse.repeat(8, axis=0).repeat(8, axis=1)[:height, :width].copy()


def same(ours: sakedge.Result, theirs: sakedge.Result, tolerance: float = FLOAT32_NOISE) -> bool:
    """Whether two results agree: floats within the tolerance, labels except near ties."""
    assert list(ours) == list(theirs)
    for task in ours:
        a, b = ours[task].values, theirs[task].values
        if ours[task].info.kind == "labels":
            agree = np.mean(a == b) >= (1 if tolerance == 0 else 0.999)
        else:
            agree = np.allclose(a, b, atol=tolerance, rtol=0)
        if a.shape != b.shape or not agree:
            return False
    return True
