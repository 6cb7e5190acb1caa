"""Rows of tiles come once, in order, and whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sakedge.decoder import Mosaic, thread_pool
from sakedge.errors import OptionError
from sakedge.images.tiling import Grid
from sakedge.tasks import TaskInfo

TILE = (16, 20)
GRID = Grid.over((40, 36), TILE)
TILES = len(GRID.columns.starts)
MAP = {"depth": np.zeros((4, 5, 1), np.float32)}
DEPTH = TaskInfo(name="depth", kind="scalar", classes=1)


@pytest.fixture
def mosaic() -> Mosaic:
    made = Mosaic(thread_pool(1), GRID, TILE, [DEPTH])
    made.add_row(0, [MAP] * TILES)
    return made


@pytest.mark.parametrize("row", [0, 2, -1, 99, None])
def test_a_row_that_is_not_the_next_is_refused(mosaic: Mosaic, row: Any) -> None:
    with pytest.raises(OptionError, match="rows of tiles come in order; expected row 1 of"):
        mosaic.add_row(row, [MAP] * TILES)


def test_a_row_after_the_last_is_refused(mosaic: Mosaic) -> None:
    for row in range(1, len(GRID.rows.starts)):
        mosaic.add_row(row, [MAP] * TILES)
    with pytest.raises(OptionError, match="rows of tiles come in order"):
        mosaic.add_row(len(GRID.rows.starts), [MAP] * TILES)


def test_a_row_of_other_tiles_is_refused(mosaic: Mosaic) -> None:
    with pytest.raises(OptionError, match=f"expected {TILES} tiles; got {TILES - 1}"):
        mosaic.add_row(1, [MAP] * (TILES - 1))


@pytest.mark.parametrize(
    "map_",
    [
        np.zeros((4, 5, 2), np.float32),
        np.zeros((5, 5, 1), np.float32),
        np.zeros((4, 5, 1), np.float64),
        np.zeros((4, 5, 2), np.float32)[..., ::2],
        None,
    ],
)
def test_a_map_that_does_not_fit_is_refused(mosaic: Mosaic, map_: Any) -> None:
    with pytest.raises(OptionError, match="the maps of task 'depth'"):
        mosaic.add_row(1, [{"depth": map_}] * TILES)
