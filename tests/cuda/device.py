"""Launches kernels on the real GPU with the emulator's arguments: tests need not know which it is.

Talks to the driver alone. A kernel that writes beside what it was given is found by the bytes that
surround each allocation; one that only reads there is not: compute-sanitizer is for that.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.cuda.emulator import Emulator, memory
from tests.cuda.emulator.build import KERNELS, OF_HOPPER
from tests.cuda.emulator.host import entries_of
from tests.cuda.emulator.kernels import Kernels
from tests.cuda.emulator.shipped import compile_kernels
from tests.cuda.emulator.structs import fields_of

_GUARD = 512
"""Bytes before and behind each allocation; keeps the alignment of what the driver gives."""
_PATTERN = 0xA5
_MAJOR, _MINOR, _MULTIPROCESSORS, _MOST_SHARED = 75, 76, 16, 97  # CU_DEVICE_ATTRIBUTE_…
_DYNAMIC_SHARED = 8  # CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
_THREADS = 0  # CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK


class DeviceError(AssertionError):
    """The driver refused a call, or a kernel wrote beside its memory."""


class _Uncounted:
    """In the place of the emulator's counters."""

    def __getattr__(self, name: str) -> Any:
        pytest.skip(f"a device does not count {name}")


class Device(Kernels):
    """The first CUDA device, and kernels built for it.

    Args:
        sources: Files of kernels; all of `csrc/cuda/kernels` unless given.
        arch: What they are compiled for: the device's own architecture unless given, or e.g.
            compute_80, the PTX that other devices' drivers compile.

    Attributes:
        name: Of the device.
        arch: Its architecture, e.g. sm_87.
        multiprocessors: How many it has.

    Raises:
        DeviceError: There is no device, or the driver refuses what was built.
        FileNotFoundError: There is no NVRTC.
    """

    def __init__(self, sources: Sequence[Path] | None = None, arch: str | None = None) -> None:
        try:
            self._cuda = ctypes.CDLL("libcuda.so.1")
        except OSError as error:
            raise DeviceError(f"no CUDA driver: {error}") from None
        self._call("cuInit", 0)
        device = ctypes.c_int()
        self._call("cuDeviceGet", ctypes.byref(device), 0)
        context = ctypes.c_void_p()
        self._call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self._call("cuCtxPushCurrent_v2", context)
        self._stream = ctypes.c_void_p()
        self._call("cuStreamCreate", ctypes.byref(self._stream), 0)
        self._moments = self._event(), self._event()
        major, minor, self.multiprocessors, self._most_shared = (
            self._attribute(device, which)
            for which in (_MAJOR, _MINOR, _MULTIPROCESSORS, _MOST_SHARED)
        )
        self.arch = f"sm_{major}{minor}"
        name = ctypes.create_string_buffer(256)
        self._call("cuDeviceGetName", name, len(name), device)
        self.name = name.value.decode()
        files = tuple(
            path
            for path in (Path(s).resolve() for s in sources or sorted(KERNELS.glob("*.cu")))
            if path not in OF_HOPPER or (arch or self.arch) == "sm_90"
        )
        super().__init__({k: v for path in files for k, v in entries_of(path).items()}, files)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            built = list(pool.map(lambda path: _compiled(path, arch or self.arch), files))
        self._modules = [self._load(image) for image in built]

    def launch(
        self,
        name: str,
        *,
        grid: Sequence[int],
        args: dict[str, Any],
        shared: int = 0,
        seed: int = 1,
        races: bool = True,
        late_copies: bool = True,
    ) -> Any:
        """Runs a kernel, as the emulator does; of the schedule a device decides.

        Raises:
            DeviceError: The launch failed, or wrote beside what it was given.
        """
        with self._prepared(name, args) as (function, given, blocks):
            self._launch(function, grid, shared, given)
            for block in blocks:
                block.fetch()
        return _Uncounted()

    def milliseconds(
        self, kernels: Mapping[str, tuple[Sequence[int], int]], args: dict[str, Any], repeats: int
    ) -> dict[str, float]:
        """The median time of each kernel, given as grid and shared memory, with the same arguments.

        Each launch is behind a write of 64 MB that empties the cache.
        """
        flush = ctypes.c_uint64()
        self.allocate(flush, 64 << 20)
        spent: dict[str, list[float]] = {name: [] for name in kernels}
        with self._prepared(next(iter(kernels)), args) as (_, given, _):
            for i in range(repeats + 2):  # the first two warm up
                for name, (grid, shared) in kernels.items():
                    spent[name].append(self._timed(name, grid, shared, given, flush, i))
        self.free(flush)
        return {name: sorted(times[2:])[repeats // 2] for name, times in spent.items()}

    def _timed(
        self,
        name: str,
        grid: Sequence[int],
        shared: int,
        given: ctypes.Structure,
        flush: ctypes.c_uint64,
        value: int,
    ) -> float:
        start, end = self._moments
        size = ctypes.c_size_t(64 << 20)
        self._call("cuMemsetD8Async", flush, ctypes.c_ubyte(value), size, self._stream)
        self._call("cuEventRecord", start, self._stream)
        self._launch(self._function(name), grid, shared, given)
        self._call("cuEventRecord", end, self._stream)
        self._call("cuStreamSynchronize", self._stream)
        ms = ctypes.c_float()
        self._call("cuEventElapsedTime", ctypes.byref(ms), start, end)
        return ms.value

    def allocate(self, address: ctypes.c_uint64, size: int) -> None:
        """Device memory."""
        self._call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(size))

    def free(self, address: ctypes.c_uint64) -> None:
        """Gives it back. Silent where the device is lost: the failure says so."""
        self._cuda.cuMemFree_v2(address)

    def copy(self, way: str, to: Any, source: Any, size: int) -> None:
        """`HtoD` or `DtoH`; behind all that was launched, and done when this returns."""
        self._call(f"cuMemcpy{way}Async_v2", to, source, ctypes.c_size_t(size), self._stream)
        self._call("cuStreamSynchronize", self._stream)

    @contextmanager
    def _prepared(
        self, name: str, args: dict[str, Any]
    ) -> Iterator[tuple[ctypes.c_void_p, ctypes.Structure, list[_Block]]]:
        """The kernel, its argument on the device, and the memory that this points to."""
        kind = self._kind(name)
        given = kind()
        allocations = memory.fill(given, kind, args, "")
        blocks = [_Block(self, each) for each in memory.disjoint(allocations)]
        try:
            for each in memory.everything(allocations):
                # A table: what it points to moves as well.
                if isinstance(each.held, ctypes.Array) and len(each.held) > 0:
                    home = next(block for block in blocks if block.holds(each.address))
                    home.patch(each.address, _moved(each.held, blocks))
            for block in blocks:
                block.send()
            yield self._function(name), _moved(given, blocks), blocks
        finally:
            for block in blocks:
                block.free()

    def _launch(
        self, function: ctypes.c_void_p, grid: Sequence[int], shared: int, given: ctypes.Structure
    ) -> None:
        threads = ctypes.c_int()
        self._call("cuFuncGetAttribute", ctypes.byref(threads), _THREADS, function)
        x, y, z = (*grid, *[1] * (3 - len(grid)))
        parameters = (ctypes.c_void_p * 1)(ctypes.addressof(given))
        # A kernel is compiled for exactly the threads that it is launched with.
        block = (threads.value, 1, 1)
        self._call(
            "cuLaunchKernel", function, x, y, z, *block, shared, self._stream, parameters, None
        )

    def _function(self, name: str) -> ctypes.c_void_p:
        function = ctypes.c_void_p()
        for module in self._modules:
            if self._cuda.cuModuleGetFunction(ctypes.byref(function), module, name.encode()) == 0:
                self._call("cuFuncSetAttribute", function, _DYNAMIC_SHARED, self._most_shared)
                return function
        raise DeviceError(f"{name} is in none of the modules")

    def _load(self, image: bytes) -> ctypes.c_void_p:
        module = ctypes.c_void_p()
        self._call("cuModuleLoadDataEx", ctypes.byref(module), image + b"\0", 0, None, None)
        return module

    def _event(self) -> ctypes.c_void_p:
        event = ctypes.c_void_p()
        self._call("cuEventCreate", ctypes.byref(event), 0)
        return event

    def _attribute(self, device: ctypes.c_int, which: int) -> int:
        value = ctypes.c_int()
        self._call("cuDeviceGetAttribute", ctypes.byref(value), which, device)
        return value.value

    def _call(self, function: str, *arguments: Any) -> None:
        result = getattr(self._cuda, function)(*arguments)
        if result:
            name = ctypes.c_char_p()
            self._cuda.cuGetErrorName(result, ctypes.byref(name))
            raise DeviceError(f"{function} failed: {(name.value or b'?').decode()} ({result})")


class _Block:
    """A piece of host memory and its copy on the device, with guards around it."""

    def __init__(self, device: Device, allocation: memory.Allocation) -> None:
        self._device, self._of = device, allocation
        self._image = bytearray([_PATTERN] * (allocation.size + 2 * _GUARD))
        end = _GUARD + allocation.size
        self._image[_GUARD:end] = ctypes.string_at(allocation.address, allocation.size)
        self._address = ctypes.c_uint64()
        device.allocate(self._address, len(self._image))

    def holds(self, address: int) -> bool:
        """Whether a host address lies in it."""
        return self._of.address <= address < self._of.address + self._of.size

    def moved(self, address: int) -> int:
        """The device's address of what lies at a host's."""
        return self._address.value + _GUARD + address - self._of.address

    def patch(self, address: int, data: ctypes.Array[Any]) -> None:
        """Replaces what will be sent."""
        at = _GUARD + address - self._of.address
        self._image[at : at + ctypes.sizeof(data)] = bytes(data)

    def send(self) -> None:
        """To the device."""
        raw = (ctypes.c_char * len(self._image)).from_buffer(self._image)
        self._device.copy("HtoD", self._address, raw, len(raw))

    def fetch(self) -> None:
        """Back to the host, if it may be written to.

        Raises:
            DeviceError: Something was written that must not be.
        """
        found = bytearray(len(self._image))
        raw = (ctypes.c_char * len(found)).from_buffer(found)
        self._device.copy("DtoH", raw, self._address, len(raw))
        end = _GUARD + self._of.size
        if found[:_GUARD] != self._image[:_GUARD] or found[end:] != self._image[end:]:
            raise DeviceError(f"written beside {self._of.name}, {self._of.size} bytes")
        if self._of.writable:
            ctypes.memmove(self._of.address, bytes(found[_GUARD:end]), self._of.size)
        elif found != self._image:
            raise DeviceError(f"{self._of.name} was written to, which is only to be read")

    def free(self) -> None:
        """Gives the device's memory back."""
        self._device.free(self._address)


def _moved(value: Any, blocks: Sequence[_Block]) -> Any:
    """A copy of a struct or an array with device addresses in the place of the host's."""
    copy = type(value).from_buffer_copy(value)
    _move(copy, blocks)
    return copy


def _move(value: Any, blocks: Sequence[_Block]) -> None:
    if isinstance(value, ctypes.Structure):
        for name, kind in fields_of(type(value)):
            item = getattr(value, name)
            if kind is ctypes.c_void_p:
                setattr(value, name, _address(item, blocks))
            elif isinstance(item, ctypes.Structure | ctypes.Array):
                _move(item, blocks)
    elif value._type_ is ctypes.c_void_p:
        for i, item in enumerate(value):
            value[i] = _address(item, blocks)
    elif issubclass(value._type_, ctypes.Structure):
        for item in value:
            _move(item, blocks)


def _address(host: int | None, blocks: Sequence[_Block]) -> int | None:
    if host is None:
        return None
    # Only an empty array lies in no block; nothing may be read there.
    return next((block.moved(host) for block in blocks if block.holds(host)), None)


def machine_of(path: str, sources: Sequence[Path] | None = None) -> Emulator | Device:
    """What kernels are launched on: the emulator by one of its paths, or the `device`.

    CUDA_TEST_ARCH names what they are compiled for on a device, if not for its architecture.
    """
    if path == "device":
        return Device(sources, os.environ.get("CUDA_TEST_ARCH"))
    return Emulator(path, sources)


def _compiled(path: Path, arch: str) -> bytes:
    image: bytes = compiler_for(arch).compile(path, arch)[0]
    return image


def compiler_for(arch: str) -> Any:
    """The NVRTC that wheels are built with, or the other one where a machine has only that.

    What that of CUDA 13 writes, a driver of CUDA 12 refuses.

    Raises:
        FileNotFoundError: There is none.
    """
    wanted = compile_kernels.nvrtc_for(arch)
    try:
        return compile_kernels.Compiler.find(wanted)
    except FileNotFoundError:
        if wanted == 13:
            raise
        return compile_kernels.Compiler.find(13)
