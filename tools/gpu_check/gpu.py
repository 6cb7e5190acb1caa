"""The GPU of this machine, asked of the driver alone."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass


@dataclass(frozen=True)
class Gpu:
    """What the driver says of its first device."""

    name: str
    arch: str
    multiprocessors: int
    mebibytes: int
    driver: str


def find() -> tuple[Gpu | None, str]:
    """The first device; or None, and why."""
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        return None, f"no driver: {error}"
    if result := cuda.cuInit(0):
        return None, f"cuInit returned {result}"
    device = ctypes.c_int()
    if cuda.cuDeviceGet(ctypes.byref(device), 0):
        return None, "the driver sees no device"
    name = ctypes.create_string_buffer(256)
    cuda.cuDeviceGetName(name, len(name), device)
    size, version = ctypes.c_size_t(), ctypes.c_int()
    cuda.cuDeviceTotalMem_v2(ctypes.byref(size), device)
    cuda.cuDriverGetVersion(ctypes.byref(version))

    def attribute(which: int) -> int:
        value = ctypes.c_int()
        cuda.cuDeviceGetAttribute(ctypes.byref(value), which, device)
        return value.value

    # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, …_MINOR and …_MULTIPROCESSOR_COUNT
    major, minor, multiprocessors = (attribute(which) for which in (75, 76, 16))
    driver = f"CUDA {version.value // 1000}.{version.value % 1000 // 10}"
    arch = f"sm_{major}{minor}"
    return Gpu(name.value.decode(), arch, multiprocessors, size.value >> 20, driver), ""
