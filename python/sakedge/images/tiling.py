"""Overlapping tiles over a large picture, and blending what they yield.

Each tile's logits are weighted by a raised cosine that falls towards the tile's edges. Along each
axis the weights are divided by their sum over the tiles, so that they add up to one at every
pixel. Rows are finished from top to bottom: the blender holds one band of tile height, never the
whole map.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

OVERLAP = 0.25
"""Default smallest overlap of neighbouring tiles, as a share of the tile's side."""


@dataclass(frozen=True)
class Axis:
    """Tiles along one axis.

    Attributes:
        length: Length of the picture.
        tile: Length of one tile, at most `length`.
        starts: First pixel of each tile, ascending; the first is 0, the last ends at `length`.
    """

    length: int
    tile: int
    starts: tuple[int, ...]

    @classmethod
    def over(cls, length: int, tile: int, overlap: float = OVERLAP) -> Axis:
        """Spreads as few tiles as keep the overlap evenly over the length."""
        tile = min(tile, length)
        if length == tile:
            return cls(length, tile, (0,))
        step = max(1, tile - ceil(tile * overlap))
        count = ceil((length - tile) / step) + 1
        starts = tuple(round(i * (length - tile) / (count - 1)) for i in range(count))
        return cls(length, tile, starts)

    def weights(self) -> NDArray[np.float32]:
        """Blending weights [tiles, tile]; at each pixel those of all tiles over it sum to one."""
        # Sampled at pixel centres the cosine is never 0, so no pixel is left without weight.
        bump = np.sin(np.pi * (np.arange(self.tile) + 0.5) / self.tile) ** 2
        total = np.zeros(self.length)
        for start in self.starts:
            total[start : start + self.tile] += bump
        return np.stack([bump / total[start : start + self.tile] for start in self.starts]).astype(
            np.float32
        )


@dataclass(frozen=True)
class Tile:
    """One tile: its place in the grid of tiles and its first pixel in the picture."""

    row: int
    column: int
    top: int
    left: int

    def inside(self, grid: Grid) -> tuple[slice, slice]:
        """Its rows and columns of the picture."""
        height, width = grid.tile
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


@dataclass(frozen=True)
class Grid:
    """Tiles over a picture, row by row."""

    rows: Axis
    columns: Axis

    @classmethod
    def over(
        cls, picture: tuple[int, int], tile: tuple[int, int], overlap: float = OVERLAP
    ) -> Grid:
        """Covers a picture of (height, width) with tiles of (height, width)."""
        return cls(Axis.over(picture[0], tile[0], overlap), Axis.over(picture[1], tile[1], overlap))

    def row(self, row: int) -> list[Tile]:
        """The tiles of one row, from left to right."""
        top = self.rows.starts[row]
        return [Tile(row, column, top, left) for column, left in enumerate(self.columns.starts)]

    @property
    def tile(self) -> tuple[int, int]:
        """Height and width of a tile."""
        return self.rows.tile, self.columns.tile

    def __len__(self) -> int:
        return len(self.rows.starts) * len(self.columns.starts)


class Blender:
    """Adds up one task's tiles into a band and hands out rows that no later tile touches.

    Memory: channels x tile height x picture width floats.
    """

    def __init__(self, grid: Grid, channels: int) -> None:
        self._grid = grid
        self._row_weights = grid.rows.weights()
        self._column_weights = grid.columns.weights()
        self._band = np.zeros((channels, grid.rows.tile, grid.columns.length), np.float32)

    def add(self, tile: Tile, logits: NDArray[np.float32]) -> None:
        """Adds a tile's logits [channels, tile height, tile width]; tiles come row by row."""
        weight = np.outer(self._row_weights[tile.row], self._column_weights[tile.column])
        right = tile.left + self._grid.columns.tile
        self._band[:, :, tile.left : right] += logits * weight

    def finish_row(self, row: int) -> NDArray[np.float32]:
        """The rows that are final after the last tile of a row: [channels, rows, picture width]."""
        starts = self._grid.rows.starts
        below = starts[row + 1] if row + 1 < len(starts) else self._grid.rows.length
        done = below - starts[row]
        final: NDArray[np.float32] = self._band[:, :done].copy()
        keep = self._band.shape[1] - done
        self._band[:, :keep] = self._band[:, done:].copy()
        self._band[:, keep:] = 0
        return final


Maps = Mapping[str, NDArray[Any]]


def blend(
    grid: Grid,
    channels: Mapping[str, int],
    run: Callable[[Sequence[Tile]], Sequence[Maps]],
    decode: Callable[[str, NDArray[np.float32]], NDArray[Any]],
    batch: int = 1,
) -> dict[str, NDArray[Any]]:
    """Runs every tile and puts the decoded maps of the whole picture together.

    Args:
        grid: The tiles.
        channels: Channels of the logits by task.
        run: Gives each tile's logits by task, float32 [channels, tile height, tile width].
        decode: Decodes a task's blended logits [channels, rows, width] to [rows, width, …].
        batch: Most tiles given to `run` at once.

    Returns:
        By task the decoded map of the picture.
    """
    blenders = {task: Blender(grid, count) for task, count in channels.items()}
    wholes: dict[str, NDArray[Any]] = {}
    for row in range(len(grid.rows.starts)):
        tiles = grid.row(row)
        for start in range(0, len(tiles), batch):
            some = tiles[start : start + batch]
            for tile, maps in zip(some, run(some), strict=True):
                for task, blender in blenders.items():
                    blender.add(tile, maps[task])
        for task, blender in blenders.items():
            final = decode(task, blender.finish_row(row))
            if row == 0:
                wholes[task] = np.empty((grid.rows.length, *final.shape[1:]), final.dtype)
            top = grid.rows.starts[row]
            wholes[task][top : top + len(final)] = final
    return wholes
