"""Checks of inputs that were prepared elsewhere."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import BackendError, ImageError


def check_inputs(inputs: Any, size: tuple[int, int]) -> NDArray[np.float32]:
    """Returns normalised images if they fit, as a plain array.

    Args:
        inputs: float32 [batch, 3, H, W].
        size: The student's height H and width W.

    Raises:
        BackendError: They have another shape or type.
        ImageError: They hold NaN or infinity.
    """
    expected = f"float32 of shape [batch, 3, {size[0]}, {size[1]}]"
    if not isinstance(inputs, np.ndarray):
        raise BackendError("not inputs", expected=expected, got=type(inputs).__name__)
    array = np.asarray(inputs)
    if array.dtype != np.float32 or array.shape[1:] != (3, *size) or array.ndim != 4:
        raise BackendError(
            "the inputs do not fit the student",
            expected=expected,
            got=f"{array.dtype} {list(array.shape)}",
        )
    # Both pass NaN on, without an array of flags beside the inputs.
    if array.size and not (math.isfinite(array.min()) and math.isfinite(array.max())):
        raise ImageError("the inputs hold NaN or infinity", expected="finite numbers")
    return array
