"""Decoded values against logits in float64 that themselves have an error."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.kernels import bounds, reference
from tests.kernels.checks import F64, assert_within


def assert_decoded(kind: str, got: NDArray[Any], logits: F64, error: float = 0.0) -> None:
    """Checks what a decode kernel made of logits.

    Args:
        kind: The kernel's name in `kinds.def`.
        got: What it wrote [...].
        logits: What it should have read [..., classes].
        error: How far what it read may be from that.
    """
    if kind == "labels":
        chosen = np.take_along_axis(logits, got[..., None].astype(np.int64), -1)[..., 0]
        # Another label may only be chosen where two are closer than their error.
        assert_within(chosen, logits.max(-1), 2 * error)
        return
    want = reference.decode(kind, logits)
    assert_within(got, want, _bound(kind, logits, want, error))


def _bound(kind: str, logits: F64, want: F64, error: float) -> F64 | float:
    if kind == "scalar":
        return error
    if kind == "normals":
        # Three squares add up with 3 U of error, which the root halves; it and the division add a
        # U each. An error far below the length turns the vector by sqrt(3) error / length.
        length = np.linalg.norm(logits, axis=-1, keepdims=True)
        return 3 * error / length + 4 * bounds.U
    exponent = logits[..., 0]
    if kind == "two_class":
        exponent = logits[..., 1] - logits[..., 0]
    difference = np.abs(exponent) * bounds.U if kind == "two_class" else 0.0
    # The sigmoid's slope is p (1 - p), at most 1/4.
    slope = want * (1 - want)
    incoming = 0.25 * logits.shape[-1] * error + slope * difference
    return bounds.SLACK * (incoming + 4 * bounds.U * want + 2e-38)
