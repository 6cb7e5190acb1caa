"""bfloat16, which NumPy does not have, as the uint16 that lie in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def bfloat16(values: NDArray[Any]) -> NDArray[np.uint16]:
    """Values rounded to the nearest bfloat16, ties to even. NaN stays one."""
    single = np.ascontiguousarray(values, np.float32)
    bits = single.view(np.uint32)
    rounded = bits + np.uint32(0x7FFF) + (bits >> np.uint32(16) & np.uint32(1))
    return np.where(np.isnan(single), np.uint32(0x7FFF), rounded >> np.uint32(16)).astype(np.uint16)


def floats(values: NDArray[Any]) -> NDArray[np.float32]:
    """The float32 of bfloat16 (uint16) or float16 values."""
    if values.dtype == np.uint16:
        return (values.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return values.astype(np.float32)
