"""The GELU of csrc/cuda/kernels/gelu.h against float64, by its coefficients."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from tests.cuda.reference import gelu

HEADER = Path(__file__).parents[2] / "csrc" / "cuda" / "kernels" / "gelu.h"
COEFFICIENTS = [np.float32(c) for c in re.findall(r"(-?\d\.\d+e[-+]\d+)f[;)]", HEADER.read_text())]
"""From the highest power down."""


def test_is_within_what_it_states_for_every_size() -> None:
    assert len(COEFFICIENTS) == 6
    small = np.linspace(-14, 14, 280_001, dtype=np.float32)
    large = np.float32(10) ** np.linspace(-30, 37, 2_000, dtype=np.float32)
    x = np.concatenate([small, large, -large])
    a = np.abs(x)
    p = np.full_like(x, COEFFICIENTS[0])
    with np.errstate(over="ignore"):
        for c in COEFFICIENTS[1:]:  # a fused multiply-add: one rounding
            p = (p.astype(np.float64) * a + c).astype(np.float32)
    # exp2 of the device is off by 2^-22 at most; both ways.
    for approximate in (1 - 2.0**-22, 1 + 2.0**-22):
        tail = np.exp2(p.astype(np.float64)) * approximate
        got = (np.maximum(x, 0) - a * tail).astype(np.float32)
        error = np.abs(got - gelu(x.astype(np.float64)))
        # The last rounding is of the result.
        assert (error <= 6e-7 * a + 2.0**-24 * np.abs(got)).all()
