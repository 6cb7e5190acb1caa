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

MOST_INT8 = 127
"""-128 has no counterpart: kernels may turn a weight's sign."""
SMALLEST_SCALE, LARGEST_SCALE = 2.0**-100, 2.0**63
"""Of int8 weights and inputs."""

_BLOCK = 1 << 16
"""Weights looked at together, so that they come from memory once."""


def check_values(component: str, name: str, tensor: NDArray[Any], where: str = "") -> None:
    """Checks one weight's values, or those of a scale or a zero point beside it.

    Args:
        component: What it is a part of, e.g. `stem` or `adapters.sam`.
        name: Its canonical name.
        tensor: float32, float16, int8 or uint8, in the machine's byte order.
        where: The file, for errors.

    Raises:
        TensorError: One is NaN, infinite or too large, or no such weight or scale.
    """
    what = f"tensor {name} of {where}" if where else f"tensor {name}"
    if tensor.dtype.kind == "f":
        _check_floats(component, what, tensor)
    if tensor.dtype == np.int8 and tensor.size and tensor.min() < -MOST_INT8:
        raise TensorError(
            f"{what} holds -128",
            expected=f"symmetric int8, at most {MOST_INT8} in magnitude",
            remedy="Quantise the student again",
        )
    if name.endswith(".scale") and not _is_scale(tensor):
        raise TensorError(
            f"{what} holds what is no scale",
            expected=f"positive numbers from {SMALLEST_SCALE:g} to {LARGEST_SCALE:g}",
            got=f"{tensor.min():g} to {tensor.max():g}",
            remedy="Quantise the student again",
        )


def _check_floats(component: str, what: str, tensor: NDArray[Any]) -> None:
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


def _is_scale(tensor: NDArray[Any]) -> bool:
    return bool(tensor.min() >= SMALLEST_SCALE and tensor.max() <= LARGEST_SCALE)


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
