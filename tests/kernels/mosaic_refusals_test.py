"""What a mosaic of the compiled module refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sakedge import _core
from sakedge.decoder import thread_pool
from sakedge.images.tiling import Axis

# Two by three tiles of 8 x 8 pixels, with maps of 2 x 2 cells.
HEIGHT, WIDTH = 14, 20
MAP = np.zeros((2, 2, 3), np.float32)
TILES = [(row, column, MAP) for row in range(2) for column in range(3)]


def axis(length: int) -> tuple[Any, ...]:
    made = Axis.over(length, 8, overlap=0.25)
    return made.length, made.tile, made.starts, made.weights()


def make(**changed: Any) -> _core.Mosaic:
    arguments: dict[str, Any] = {
        "pool": thread_pool(1),
        "map_size": (2, 2),
        "input_size": (8, 8),
        "rows": axis(HEIGHT),
        "columns": axis(WIDTH),
    }
    return _core.Mosaic(**(arguments | changed))


def decode(**changed: Any) -> None:
    made = make()
    arguments: dict[str, Any] = {
        "family": "normals",
        "classes": 3,
        "tiles": TILES,
        "begin": 0,
        "end": HEIGHT,
        "out": made.output("normals", 3),
    }
    made.decode(**(arguments | changed))


def test_all_tiles_are_enough() -> None:
    decode()


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"tiles": []}, id="no tile"),
        pytest.param({"tiles": TILES[1:]}, id="a missing tile"),
        pytest.param({"tiles": TILES[:3]}, id="a missing row of tiles"),
        pytest.param({"tiles": [*TILES[:-1], TILES[0]]}, id="one twice, another missing"),
        pytest.param({"tiles": [*TILES, TILES[0]]}, id="one twice"),
        pytest.param({"tiles": [*TILES[:-1], (2, 0, MAP)]}, id="a row that there is not"),
        pytest.param({"tiles": [*TILES[:-1], (1, -1, MAP)]}, id="a column that there is not"),
        pytest.param({"end": HEIGHT + 1}, id="rows below the picture"),
        pytest.param({"begin": 9, "end": 8}, id="rows backwards"),
    ],
)
def test_tiles_and_rows_that_do_not_fit_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(_core.CoreError, match="mosaic: "):
        decode(**changed)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"tiles": [*TILES[:-1], (1, 2, MAP[:1])]}, id="a lower map"),
        pytest.param({"tiles": [*TILES[:-1], (1, 2, MAP[..., :2])]}, id="a map of other classes"),
        pytest.param({"tiles": [*TILES[:-1], (1, 2, MAP[0])]}, id="a map without an axis"),
        pytest.param({"classes": 4}, id="classes that its kind does not take"),
        pytest.param({"family": "colours"}, id="an unknown kind"),
        pytest.param({"begin": -1}, id="rows above the picture"),
        pytest.param({"out": np.zeros((HEIGHT, WIDTH, 2), np.float32)}, id="a smaller output"),
        pytest.param({"out": np.zeros((HEIGHT, WIDTH, 3), np.uint8)}, id="an output of bytes"),
        pytest.param(
            {"out": np.zeros((HEIGHT, WIDTH, 3), np.float32)[:, ::-1]},
            id="an output that is not contiguous",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises((_core.CoreError, TypeError)):
        decode(**changed)


ONE, TWO, THREE = (np.ones((tiles, 8), np.float32) for tiles in (1, 2, 3))


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"map_size": (0, 2)}, id="an empty map"),
        pytest.param({"input_size": (7, 8)}, id="a tile larger than the input"),
        pytest.param({"rows": (7, 8, [0], ONE)}, id="a tile larger than the picture"),
        pytest.param({"rows": (8, 0, [0], ONE[:, :0])}, id="an empty tile"),
        pytest.param({"rows": (8, 8, [], ONE[:0])}, id="no tile"),
        pytest.param({"rows": (8, 8, [0], ONE[:, 1:])}, id="too few weights"),
        pytest.param({"rows": (9, 8, [0], ONE)}, id="no tile at the end of the picture"),
        pytest.param({"rows": (9, 8, [1], ONE)}, id="no tile at the start of the picture"),
        pytest.param({"rows": (18, 8, [0, 10], TWO)}, id="a gap between tiles"),
        pytest.param({"rows": (8, 8, [0, 0], TWO)}, id="a tile twice"),
        pytest.param({"rows": (9, 8, [0, 2**62, 1], THREE)}, id="a tile far away"),
    ],
)
def test_axes_that_contradict_themselves_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(_core.CoreError, match="mosaic: "):
        make(**changed)
