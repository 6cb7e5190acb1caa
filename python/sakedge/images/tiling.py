"""Overlapping tiles over a large picture, and the weights by which their logits are blended.

Each tile's logits are weighted by a raised cosine that falls towards the tile's edges. Along each
axis the weights are divided by their sum over the tiles, so that they add up to one at every
pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

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
        """Spreads the fewest tiles that keep the overlap evenly over the length."""
        tile = min(tile, length)
        if length == tile:
            return cls(length, tile, (0,))
        step = max(1, tile - ceil(tile * overlap))
        count = ceil((length - tile) / step) + 1
        starts = tuple(round(i * (length - tile) / (count - 1)) for i in range(count))
        return cls(length, tile, starts)

    def end_of(self, tile: int) -> int:
        """The first pixel that a tile after this one covers as well, or the end of the picture."""
        return self.starts[tile + 1] if tile + 1 < len(self.starts) else self.length

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
