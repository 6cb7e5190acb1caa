"""Kernels by name and their arguments in memory, wherever they are launched."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.cuda.emulator import memory
from tests.cuda.emulator.build import KERNELS
from tests.cuda.emulator.structs import structs_of


class Kernels:
    """What launches kernels: the emulator or a device.

    Args:
        arguments: Name of a kernel → its argument struct's.
        files: Their sources, which may have structs of their own beside those of `args.h`.
    """

    def __init__(self, arguments: Mapping[str, str], files: Iterable[Path]) -> None:
        self._arguments = arguments
        self._structs = structs_of((KERNELS / "args.h", *files))

    @property
    def entries(self) -> list[str]:
        """Names of its kernels."""
        return sorted(self._arguments)

    def struct(self, name: str, value: dict[str, Any]) -> memory.Table:
        """A struct of `args.h` in global memory."""
        return self.structs(name, [value])

    def structs(self, name: str, values: Sequence[dict[str, Any]]) -> memory.Table:
        """An array of structs of `args.h` in global memory."""
        return memory.table(self._structs[name], values, name)

    def pointers(self, values: Sequence[memory.Pointer]) -> memory.Table:
        """An array of pointers in global memory."""
        return memory.pointers(values, "pointers")

    def _kind(self, name: str) -> type[ctypes.Structure]:
        """The argument struct of a kernel."""
        if name not in self._arguments:
            raise KeyError(f"no kernel {name!r}; there are {', '.join(self.entries)}")
        return self._structs[self._arguments[name]]
