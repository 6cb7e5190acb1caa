"""Launches kernels on the emulator of a CUDA device."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cuda.emulator import host, memory, shipped
from tests.cuda.emulator.build import KERNELS
from tests.cuda.emulator.kernels import Kernels

PATHS = {"host": host.build, "ptx": shipped.build}


class Failure(AssertionError):  # noqa: N818 (what it is, not that it is one)
    """A kernel did what it must not do: kernel, block, thread, seed, and what."""


class _Options(ctypes.Structure):
    _fields_ = [
        ("seed", ctypes.c_uint64),
        ("races", ctypes.c_int),
        ("late_copies", ctypes.c_int),
    ]


class _Counters(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_int64)
        for name in (
            "blocks",
            "switches",
            "barriers",
            "warp_barriers",
            "multiplies",
            "matrices",
            "bank_conflicts",
            "copies",
        )
    ]


@dataclass(frozen=True)
class Stats:
    """What a launch did. `bank_conflicts`: turns that loads of matrices took beyond one each."""

    blocks: int
    switches: int
    barriers: int
    warp_barriers: int
    multiplies: int
    matrices: int
    bank_conflicts: int
    copies: int


class Emulator(Kernels):
    """Kernels built for the emulator.

    Args:
        path: "host", their C++ by the host's compiler, for debugging and sanitizers; or "ptx", what
            ships: PTX by NVRTC, translated.
        sources: Their files; all of `csrc/cuda/kernels` unless given.
    """

    def __init__(self, path: str = "ptx", sources: Sequence[Path] | None = None) -> None:
        if path not in PATHS:
            raise ValueError(f"expected a path of {sorted(PATHS)}, got {path!r}")
        files = [Path(s).resolve() for s in sources or sorted(KERNELS.glob("*.cu"))]
        library, arguments = PATHS[path](files)
        super().__init__(arguments, files)
        self.load(library)

    def load(self, library: Path) -> None:
        """Takes the kernels of another library, which have the same names and arguments."""
        self._library = ctypes.CDLL(str(library))
        self._library.emulator_launch.restype = ctypes.c_char_p

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
    ) -> Stats:
        """Runs a kernel.

        Args:
            name: Of its entry.
            grid: Blocks (x, y, z).
            args: Fields of its argument struct; not given: zero. A pointer is an array, which the
                kernel may touch and nothing beside it, a table, or None.
            shared: Bytes of shared memory.
            seed: Of the schedule.
            races: Whether every access is checked for races; False shows what values alone tell.
            late_copies: Whether asynchronous copies land when they are waited for; else some land
                at once.

        Raises:
            Failure: The kernel did what it must not do.
        """
        kind = self._kind(name)
        given = kind()
        allocations = memory.disjoint(memory.fill(given, kind, args, ""))
        size = ctypes.c_uint()
        self._library.emulator_entry(name.encode(), ctypes.byref(size))
        if size.value != ctypes.sizeof(kind):
            raise AssertionError(
                f"{kind.__name__} has {ctypes.sizeof(kind)} bytes here and {size.value} in {name}"
            )
        blocks = (ctypes.c_int * 3)(*grid, *[1] * (3 - len(grid)))
        options = _Options(seed, races, late_copies)
        counters = _Counters()
        for a in allocations:
            self._library.emulator_allocate(
                ctypes.c_void_p(a.address), ctypes.c_size_t(a.size), a.name.encode(), a.writable
            )
        try:
            failure = self._library.emulator_launch(
                name.encode(),
                blocks,
                ctypes.c_size_t(shared),
                ctypes.byref(given),
                ctypes.byref(options),
                ctypes.byref(counters),
            )
        finally:
            for a in allocations:
                self._library.emulator_release(ctypes.c_void_p(a.address))
        if failure is not None:
            raise Failure(failure.decode())
        return Stats(**{name: getattr(counters, name) for name, _ in _Counters._fields_})
