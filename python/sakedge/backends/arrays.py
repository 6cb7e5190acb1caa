"""Images and outputs as runtimes take them without a copy."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import BackendError

_ALIGNMENT = 64
"""Bytes: a cache line, and what OpenVINO requires to write into a caller's buffer."""


def check_images(images: NDArray[np.float32], input_size: tuple[int, int]) -> NDArray[np.float32]:
    """Images as a runtime takes them, C-contiguous; copied only if they are not already.

    Raises:
        BackendError: They are not float32 [batch, 3, H, W].
    """
    if images.dtype != np.float32 or images.ndim != 4 or images.shape[1:] != (3, *input_size):
        raise BackendError(
            "the images do not fit the student's input",
            expected=f"float32 [batch, 3, {input_size[0]}, {input_size[1]}]",
            got=f"{images.dtype} {list(images.shape)}",
        )
    return np.ascontiguousarray(images)


def empty_outputs(batch: int, shapes: Sequence[tuple[int, ...]]) -> list[NDArray[np.float32]]:
    """Aligned, uninitialised arrays [batch, *shape] for a runtime to write its outputs into."""
    return [_empty((batch, *shape)) for shape in shapes]


def _empty(shape: tuple[int, ...]) -> NDArray[np.float32]:
    size = 4 * math.prod(shape)
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size].view(np.float32).reshape(shape)
