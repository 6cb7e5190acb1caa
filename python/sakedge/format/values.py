"""Which numbers a weight may be: finite, and not so large that using it overflows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import TensorError

LARGEST = 65504.0
"""The largest number of float16, to which a backend may round a weight."""
LARGEST_IN_HEAD = 2.0**63
"""A head's outputs may have any unit, e.g. micrometres. The product of two is a float32."""

_BLOCK = 1 << 16
"""Weights looked at together, so that they come from memory once."""


def check_values(component: str, what: str, tensor: NDArray[Any]) -> None:
    """Checks one weight's values.

    Args:
        component: What it is a part of, e.g. `stem` or `adapters.sam`.
        what: What to call it in errors.
        tensor: float32 or float16, in the machine's byte order.

    Raises:
        TensorError: One is NaN, infinite or too large.
    """
    found = largest_magnitude(tensor)
    most = LARGEST_IN_HEAD if component.startswith("heads.") else LARGEST
    if not np.isfinite(found):
        raise TensorError(
            f"{what} holds NaN or infinity", remedy="Train or export the student again"
        )
    if found > most:
        raise TensorError(
            f"{what} holds a value that overflows when it is used",
            expected=f"magnitudes of at most {most:g}",
            got=f"{found:g}",
            remedy="Train or export the student again",
        )


def largest_magnitude(tensor: NDArray[Any]) -> float:
    """The largest absolute value of a float tensor; NaN where it holds one."""
    kind: np.dtype[Any] = np.dtype(f"u{tensor.itemsize}")
    # Without their sign, floats are in the order of their bits: NaN, infinity, then the finite.
    bits, mask = tensor.reshape(-1).view(kind), kind.type(np.iinfo(kind).max >> 1)
    largest, block = kind.type(0), np.empty(min(_BLOCK, bits.size), kind)
    for start in range(0, bits.size, _BLOCK):
        part = bits[start : start + _BLOCK]
        magnitudes = np.bitwise_and(part, mask, out=block[: part.size])
        largest = max(largest, magnitudes.max())
    return float(largest.view(tensor.dtype))
