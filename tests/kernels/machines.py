"""Where kernels run: in this process, or in a program of another architecture under an emulator.

Kernels are called by name on arrays; `csrc/calls/call.h` lists what each takes and returns.
"""

from __future__ import annotations

import platform
import re
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
from numpy.typing import NDArray

import sakedge_kernels
from sakedge import _core

F32 = NDArray[np.float32]

NONE = np.zeros(0, np.float32)
"""An input that is left out."""

_DISPATCH = Path(__file__).parents[2] / "csrc" / "cpu" / "dispatch.cpp"


def listed_isas() -> list[str]:
    """The instruction sets of all architectures, from the rows of the dispatch table."""
    return re.findall(r'^\s*\{"(\w+)", &k\w+Table', _DISPATCH.read_text(), flags=re.MULTILINE)


VARIANTS = tuple(
    name for name, _ in sakedge_kernels.isas() if name not in {name for name, _, _ in _core.isas()}
)
"""The kernels of an instruction set with an instruction in another encoding, or emulated."""


def _isas() -> list[str]:
    here = [name for name, _, _ in _core.isas()]
    if platform.machine() == "aarch64":
        return here
    there = [name for name in listed_isas() if name not in here]
    return [*here, *(f"aarch64 {name}" for name in (*there, "generic"))]


ISAS = _isas()
"""All instruction sets; those that need an emulator follow the name of their architecture."""


class Machine(Protocol):
    def call(self, name: str, inputs: Sequence[F32], /) -> list[F32]: ...


class Kernels:
    """`kernels(name, *inputs)` gives the kernel's one output; inputs become float32, None
    omitted."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def __call__(self, name: str, *inputs: Any) -> F32:
        arrays = [NONE if a is None else np.ascontiguousarray(a, np.float32) for a in inputs]
        (output,) = self._machine.call(name, arrays)
        return output


class Runner:
    """Calls answered by `sakedge_kernel_runner`, see `runner.cpp` for the protocol."""

    def __init__(self, command: Sequence[str], isa: str) -> None:
        self._process = subprocess.Popen(
            [*command, "serve", isa], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def call(self, name: str, inputs: Sequence[F32], /) -> list[F32]:
        to, back = self._process.stdin, self._process.stdout
        assert to is not None
        assert back is not None
        to.write(_size(len(name)) + name.encode() + _size(len(inputs)))
        for array in inputs:
            to.write(b"".join(map(_size, (array.ndim, *array.shape))) + array.tobytes())
        to.flush()
        error = self._read(back, self._read_size(back)).decode()
        outputs = [self._read_array(back) for _ in range(self._read_size(back))]
        if error:
            raise RuntimeError(error)
        return outputs

    def close(self) -> None:
        self._process.communicate(timeout=60)
        assert self._process.returncode == 0

    def _read(self, stream: IO[bytes], size: int) -> bytes:
        data = stream.read(size)
        if len(data) != size:
            raise RuntimeError(f"the runner ended with status {self._process.wait()}")
        return data

    def _read_size(self, stream: IO[bytes]) -> int:
        (size,) = struct.unpack("<I", self._read(stream, 4))
        return int(size)

    def _read_array(self, stream: IO[bytes]) -> F32:
        shape = [self._read_size(stream) for _ in range(self._read_size(stream))]
        data = self._read(stream, 4 * int(np.prod(shape)))
        return np.frombuffer(data, np.float32).reshape(shape)


def _size(value: int) -> bytes:
    return struct.pack("<I", value)


def local(isa: str) -> Kernels:
    return Kernels(sakedge_kernels.Kernels(isa))


def output(command: Sequence[str]) -> list[str]:
    """What a program prints, by line."""
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.splitlines()
