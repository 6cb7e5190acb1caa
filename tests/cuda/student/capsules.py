"""Pictures in device memory, as other libraries hand them over by DLPack."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

CUDA = 2
CPU = 1
_CODES = {"u": 1, "f": 2}


class _Tensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("axes", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


_Deleter = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class _Managed(ctypes.Structure):
    _fields_ = [("tensor", _Tensor), ("manager", ctypes.c_void_p), ("deleter", _Deleter)]


class _Versioned(ctypes.Structure):
    _fields_ = [
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("manager", ctypes.c_void_p),
        ("deleter", _Deleter),
        ("flags", ctypes.c_uint64),
        ("tensor", _Tensor),
    ]


class Exported:
    """An array that is offered by DLPack; `released` counts how often it was given back."""

    def __init__(
        self,
        address: int,
        array: NDArray[Any],
        *,
        version: int | None = None,
        device: tuple[int, int] = (CUDA, 0),
        strides: tuple[int, ...] | None = None,
    ) -> None:
        self.released = 0
        axes = array.ndim
        self._shape = (ctypes.c_int64 * axes)(*array.shape)
        self._strides = None if strides is None else (ctypes.c_int64 * axes)(*strides)
        self._deleter = _Deleter(self._release)
        # Behind 16 bytes that are not its own: byte_offset is heeded.
        tensor = _Tensor(
            data=address - 16,
            device_type=device[0],
            device_id=device[1],
            axes=axes,
            code=_CODES[array.dtype.kind],
            bits=8 * array.dtype.itemsize,
            lanes=1,
            shape=self._shape,
            strides=self._strides,
            byte_offset=16,
        )
        self._managed: ctypes.Structure
        if version is None:
            self._managed = _Managed(tensor=tensor, deleter=self._deleter)
        else:
            self._managed = _Versioned(major=version, deleter=self._deleter, tensor=tensor)
        self._name = b"dltensor" if version is None else b"dltensor_versioned"

    def capsule(self) -> Any:
        new: Callable[..., Any] = ctypes.pythonapi.PyCapsule_New
        new.restype = ctypes.py_object  # type: ignore[attr-defined]
        new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]  # type: ignore[attr-defined]
        return new(ctypes.addressof(self._managed), self._name, None)

    def _release(self, _: int) -> None:
        self.released += 1


class DeviceArray:
    """Device memory with an array in it."""

    def __init__(self, array: NDArray[np.uint8]) -> None:
        self._library = ctypes.CDLL("libcuda.so.1")
        context, address = ctypes.c_void_p(), ctypes.c_uint64()
        self._call("cuDevicePrimaryCtxRetain", ctypes.byref(context), 0)
        self._call("cuCtxPushCurrent_v2", context)
        self._call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(array.nbytes))
        self.address = address.value
        data = array.ctypes.data_as(ctypes.c_void_p)
        stream = ctypes.c_void_p()
        self._call("cuStreamCreate", ctypes.byref(stream), 1)  # CU_STREAM_NON_BLOCKING
        self._call("cuMemcpyHtoDAsync_v2", address, data, ctypes.c_size_t(array.nbytes), stream)
        self._call("cuStreamSynchronize", stream)
        self._call("cuStreamDestroy_v2", stream)

    def free(self) -> None:
        self._call("cuMemFree_v2", ctypes.c_uint64(self.address))
        self._call("cuCtxPopCurrent_v2", ctypes.byref(ctypes.c_void_p()))
        self._call("cuDevicePrimaryCtxRelease_v2", 0)

    def _call(self, name: str, *arguments: Any) -> None:
        assert getattr(self._library, name)(*arguments) == 0, name
