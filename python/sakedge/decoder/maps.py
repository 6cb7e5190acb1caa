"""Decoding of maps at (H/4, W/4), whatever computed them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge import _core
from sakedge.decoder.refusals import refusals
from sakedge.decoder.window import window_arguments
from sakedge.errors import OptionError, shown
from sakedge.images.tiling import Axis, Grid
from sakedge.images.window import Window
from sakedge.tasks import KINDS, TaskInfo

_Float32 = NDArray[np.float32]


def decode_map(
    pool: _core.ThreadPool,
    task: TaskInfo,
    map_: _Float32,
    input_size: tuple[int, int],
    window: Window,
) -> NDArray[Any]:
    """A task's values on a window of the input.

    Args:
        pool: Threads to compute with.
        task: Says how to decode.
        map_: float32 [H/4, W/4, classes], C-contiguous.
        input_size: Height H and width W that the map spans.
        window: Where the values lie on the input.

    Raises:
        OptionError: The map or the window does not fit.
    """
    family = KINDS[task.kind].decoder
    numbers = window_arguments(window)
    with refusals(f"the map of task {task.name!r}"):
        return _core.decode_map(pool, family, map_, input_size, numbers)


def upsample_map(pool: _core.ThreadPool, map_: _Float32, input_size: tuple[int, int]) -> _Float32:
    """The logits float32 [classes, H, W] of a map [H/4, W/4, classes].

    Raises:
        OptionError: The map does not fit.
    """
    with refusals("a map"):
        return _core.upsample_map(pool, map_, input_size)


class Mosaic:
    """The values of a large picture, put together from the maps of its tiles.

    Rows of tiles come from top to bottom; picture rows are decoded as soon as no later tile touches
    them. Besides the values only the maps of the overlapping rows of tiles are held.

    Args:
        pool: Threads to compute with.
        grid: The tiles.
        input_size: The student's input, on which a tile lies centred.
        tasks: The tasks to decode.

    Attributes:
        values: By task, the picture's values; rows that are not decoded yet are uninitialised.

    Raises:
        OptionError: The tiles do not fit the input, or the values do not fit into memory.
    """

    def __init__(
        self,
        pool: _core.ThreadPool,
        grid: Grid,
        input_size: tuple[int, int],
        tasks: Sequence[TaskInfo],
    ) -> None:
        self._grid = grid
        self._tasks = tasks
        rows, columns = _axis(grid.rows), _axis(grid.columns)
        with refusals("the tiles of a picture"):
            self._core = _core.Mosaic(
                pool=pool,
                map_size=(max(1, input_size[0] // 4), max(1, input_size[1] // 4)),
                input_size=input_size,
                rows=rows,
                columns=columns,
            )
            self.values: dict[str, NDArray[Any]] = {
                task.name: self._core.output(KINDS[task.kind].decoder, task.classes)
                for task in tasks
            }
        self._maps: dict[int, Sequence[Mapping[str, _Float32]]] = {}
        self._next = 0

    def add_row(self, row: int, maps: Sequence[Mapping[str, _Float32]]) -> None:
        """Adds a row of tiles and decodes the picture rows that it completes.

        Args:
            row: Its number; rows come in order.
            maps: For each tile from left to right, by task float32 [H/4, W/4, classes].

        Raises:
            OptionError: It is not the next row, or its maps do not fit.
        """
        if row != self._next or row == len(self._grid.rows.starts):
            raise OptionError(
                "rows of tiles come in order",
                expected=f"row {self._next} of {len(self._grid.rows.starts)}",
                got=shown(row),
            )
        if len(maps) != len(self._grid.columns.starts):
            raise OptionError(
                f"row {row} of tiles does not fit the picture",
                expected=f"{len(self._grid.columns.starts)} tiles",
                got=str(len(maps)),
            )
        self._next += 1
        self._maps[row] = maps
        begin, end = self._grid.rows.starts[row], self._grid.rows.end_of(row)
        for task in self._tasks:
            tiles = [
                (r, column, tile[task.name])
                for r, row_of_tiles in self._maps.items()
                for column, tile in enumerate(row_of_tiles)
            ]
            with refusals(f"the maps of task {task.name!r}"):
                self._core.decode(
                    family=KINDS[task.kind].decoder,
                    classes=task.classes,
                    tiles=tiles,
                    begin=begin,
                    end=end,
                    out=self.values[task.name],
                )
        done = [r for r in self._maps if self._grid.rows.starts[r] + self._grid.rows.tile <= end]
        for r in done:
            del self._maps[r]


def _axis(axis: Axis) -> tuple[int, int, Sequence[int], _Float32]:
    return axis.length, axis.tile, axis.starts, axis.weights()
