"""Small arguments of the compiled module that fit each other, to begin from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge import _core

F32 = NDArray[np.float32]
Weight = F32 | tuple[NDArray[np.int8], F32]


def floats(*shape: int) -> F32:
    """The same numbers every time, between -1 and 1."""
    count = int(np.prod(shape))
    return np.sin(np.arange(count, dtype=np.float32)).reshape(shape)


@dataclass(frozen=True)
class Sizes:
    """Of a student."""

    channels: int = 16
    blocks: int = 3
    levels: tuple[int, ...] = (0, 2)
    grid: tuple[int, int] = (4, 6)
    input_size: tuple[int, int] = (64, 96)
    adapters: int = 2
    hidden: int = 6
    reduced: int = 4
    fused: int = 16
    classes: int = 4
    family: str = "labels"
    arithmetic: str = "f32"
    quantised: bool = False

    def geometry(self) -> dict[str, Any]:
        """Arguments of `Geometry`."""
        return {
            "channels": self.channels,
            "blocks": self.blocks,
            "levels": list(self.levels),
            "grid": self.grid,
            "input_size": self.input_size,
        }

    def path(self) -> dict[str, Any]:
        """Arguments of `AdapterPath`."""
        c, h = self.channels, self.hidden
        block = (self._linear(c, h), self._linear(h, c))
        return self._common() | {
            "blocks": [block] * (self.blocks + 1),
            "norms": [(floats(c), floats(c))] * len(self.levels),
        }

    def router(self) -> dict[str, Any]:
        """Arguments of `Router`."""
        c, h = self.channels, self.hidden
        gate = (floats(h, 1 + self.adapters), floats(1 + self.adapters))
        level = (self._linear(c, h), (floats(h), floats(h)), gate)
        return self._common() | {"levels": [level] * len(self.levels)}

    def head(self) -> dict[str, Any]:
        """Arguments of `Head`."""
        width = self.reduced * len(self.levels)
        return self._common() | {
            "linears": [self._linear(self.channels, self.reduced)] * len(self.levels),
            "fuse": (self._weight((self.fused, 9 * width), self.fused), floats(self.fused)),
            "last": (floats(self.classes, self.fused), floats(self.classes)),
        }

    def snapshot(self) -> dict[str, Any]:
        """Arguments of `Snapshot`: all adapters, one task."""
        task = (self.family, _core.Head(**self.head()), _core.Router(**self.router()))
        return {"paths": [_core.AdapterPath(**self.path())] * self.adapters, "tasks": [task]}

    def decoder(self, threads: int = 2) -> dict[str, Any]:
        """Arguments of `Decoder`."""
        return {
            "geometry": _core.Geometry(**self.geometry()),
            "pool": _core.ThreadPool(threads),
        }

    def run(self, batch: int = 1) -> dict[str, Any]:
        """Arguments of `Decoder.run`."""
        shape = (batch, 1 + self.grid[0] * self.grid[1], self.channels)
        return {
            "stem": [floats(*shape)] * (self.blocks + 1),
            "rows": list(range(batch)),
            "snapshots": [_core.Snapshot(**self.snapshot())] * batch,
            "windows": [(*self.input_size, 0.0, 0.0, 1.0, 1.0)] * batch,
            "values": True,
            "logits": True,
            "maps": True,
            "min_weight": 0.0,
        }

    def _common(self) -> dict[str, Any]:
        return {"geometry": _core.Geometry(**self.geometry()), "arithmetic": self.arithmetic}

    def _linear(self, rows: int, columns: int) -> tuple[Weight, F32]:
        return self._weight((rows, columns), columns), floats(columns)

    def _weight(self, shape: tuple[int, int], outputs: int) -> Weight:
        if not self.quantised:
            return floats(*shape)
        return (127 * floats(*shape)).astype(np.int8), np.full(outputs, 1 / 127, np.float32)


def map_() -> F32:
    """A map of three classes."""
    return floats(4, 5, 3)


def decoding() -> dict[str, Any]:
    """Arguments of `decode_map`."""
    return {
        "pool": _core.ThreadPool(2),
        "family": "labels",
        "map": map_(),
        "input_size": (16, 20),
        "window": (9, 11, 0.5, 0.5, 1.5, 1.5),
    }


def upsampling() -> dict[str, Any]:
    """Arguments of `upsample_map`."""
    return {"pool": _core.ThreadPool(2), "map": map_(), "input_size": (16, 20)}


def mosaic() -> dict[str, Any]:
    """Arguments of `Mosaic`: two by two tiles of 16 x 20 pixels."""
    return {
        "pool": _core.ThreadPool(2),
        "map_size": (4, 5),
        "input_size": (16, 20),
        "rows": (28, 16, [0, 12], floats(2, 16)),
        "columns": (36, 20, [0, 16], floats(2, 20)),
    }


def mosaic_decoding(made: _core.Mosaic) -> dict[str, Any]:
    """Arguments of `Mosaic.decode`."""
    return {
        "family": "normals",
        "classes": 3,
        "tiles": [(row, column, map_()) for row in range(2) for column in range(2)],
        "begin": 0,
        "end": 28,
        "out": made.output("normals", 3),
    }
