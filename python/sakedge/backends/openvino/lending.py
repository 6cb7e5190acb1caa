"""Arrays that OpenVINO reads and writes in place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.backends.openvino.library import openvino


class _Lent:
    """Declares an array writable, for runtimes that accept no other even to read it."""

    def __init__(self, array: NDArray[Any]) -> None:
        self.owner = array
        self.__array_interface__ = {
            **array.__array_interface__,
            "data": (array.ctypes.data, False),
        }


def writable(array: NDArray[Any]) -> NDArray[Any]:
    """The same memory under a writable array, which keeps the owner alive."""
    return np.asarray(_Lent(np.ascontiguousarray(array)))


def lend(array: NDArray[Any]) -> Any:
    """An OpenVINO tensor over an array, which it reads, or writes where the array allows it."""
    return openvino().Tensor(
        array if array.flags.writeable else writable(array), shared_memory=True
    )


def constant(array: NDArray[Any]) -> Any:
    """An OpenVINO constant over an array, which it only reads."""
    return openvino().op.Constant(writable(array), shared_memory=True)
