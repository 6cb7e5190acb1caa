"""Inputs and outputs as runtimes take them without a copy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import BackendError
from sakedge.format import Subgraph

_ALIGNMENT = 64
"""Bytes: a cache line, and what OpenVINO requires to write into a caller's buffer."""


def input_shapes(subgraph: Subgraph) -> dict[str, tuple[int, ...]]:
    """A graph's inputs by name, in the order of `Session.run`: the shape of each for one image."""
    return {"image": (3, *subgraph.input_size), **subgraph.inputs}


def check_inputs(
    values: Sequence[NDArray[np.float32]], shapes: Mapping[str, tuple[int, ...]]
) -> list[NDArray[np.float32]]:
    """Inputs as a runtime takes them, C-contiguous; copied only if they are not already.

    Args:
        values: The images, and then the further inputs.
        shapes: See `input_shapes`.

    Raises:
        BackendError: There are more or fewer, or one is not float32 [batch, *shape] with the
            images' batch.
    """
    if len(values) != len(shapes):
        raise BackendError(
            "the graph has another number of inputs",
            expected=", ".join(shapes),
            got=f"{len(values)} arrays",
        )
    batch = values[0].shape[:1] if isinstance(values[0], np.ndarray) else ()
    for (name, shape), value in zip(shapes.items(), values, strict=True):
        fits = isinstance(value, np.ndarray) and value.dtype == np.float32
        if not fits or not batch or value.shape != (*batch, *shape):
            first = "batch" if name == "image" or not batch else batch[0]
            raise BackendError(
                f"the values for the graph's input {name} do not fit it",
                expected=f"float32 [{first}, {', '.join(map(str, shape))}]",
                got=described(value),
            )
    return [np.ascontiguousarray(value) for value in values]


def described(value: object) -> str:
    """An array's type and shape, or what else it is, for a message."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {list(value.shape)}"
    return type(value).__name__


def empty_outputs(batch: int, shapes: Sequence[tuple[int, ...]]) -> list[NDArray[np.float32]]:
    """Aligned, uninitialised arrays [batch, *shape] for a runtime to write its outputs into."""
    return [_empty((batch, *shape)) for shape in shapes]


def _empty(shape: tuple[int, ...]) -> NDArray[np.float32]:
    size = 4 * math.prod(shape)
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size].view(np.float32).reshape(shape)
