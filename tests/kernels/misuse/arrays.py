"""Arrays that are not what they seem."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from tools.fuzz.core_parts import F32, floats


def misaligned(array: F32) -> F32:
    """The same numbers, a byte off."""
    held = np.zeros(array.nbytes + 1, np.uint8)
    held[1:] = np.frombuffer(array.tobytes(), np.uint8)
    return np.frombuffer(held.data, np.float32, array.size, 1).reshape(array.shape)


def odd(shape: tuple[int, ...]) -> dict[str, Any]:
    """Arrays in place of a dense float32 one of this shape."""
    wide = (*shape[:-1], 2 * shape[-1])
    return {
        "none": None,
        "a number": 1.0,
        "nested lists": floats(*shape).tolist(),
        "float64": floats(*shape).astype(np.float64),
        "float16": floats(*shape).astype(np.float16),
        "int32": floats(*shape).astype(np.int32),
        "complex": floats(*shape).astype(np.complex64),
        "objects": floats(*shape).astype(object),
        "other byte order": floats(*shape).astype(">f4"),
        "every other column": floats(*wide)[..., ::2],
        "backwards": floats(*shape)[..., ::-1],
        "one number many times": np.broadcast_to(np.float32(0), shape),
        "strides of zero": np.lib.stride_tricks.as_strided(
            np.zeros(1, np.float32), shape, (0,) * len(shape)
        ),
        "misaligned": misaligned(floats(*shape)),
        "an axis less": floats(*shape)[0],
        "an axis more": floats(*shape)[None],
        "no element": floats(*shape)[:0],
        "shorter": floats(*shape[:-1], shape[-1] - 1),
        "longer": floats(*shape[:-1], shape[-1] + 1),
        "a false address": _Interface(shape),
    }


class _Interface:
    """Says that it is an array in memory that is not there."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.__array_interface__ = {
            "shape": shape,
            "typestr": "<f4",
            "data": (8, True),
            "version": 3,
        }


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array
