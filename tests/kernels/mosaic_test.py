"""A picture put together from its tiles, against float64."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.kernels import bounds, reference
from tests.kernels.checks import F32, F64, normal
from tests.kernels.decoded import assert_decoded
from tests.kernels.students import FIVE_KINDS

from sakedge.decoder import Mosaic, thread_pool
from sakedge.images.tiling import Grid
from sakedge.images.window import Window
from sakedge.tasks import TaskInfo

Size = tuple[int, int]

TASKS = {
    name: TaskInfo(name=name, kind=kind, classes=classes)
    for name, kind, classes in (*FIVE_KINDS, ("many", "labels", 300))
}


@dataclass(frozen=True)
class Case:
    """A picture, the student's input, and the share by which its tiles overlap."""

    picture: Size
    input_size: Size
    overlap: float = 0.25

    @property
    def grid(self) -> Grid:
        return Grid.over(self.picture, self.input_size, self.overlap)

    @property
    def map_size(self) -> Size:
        return self.input_size[0] // 4, self.input_size[1] // 4

    def maps(self, task: TaskInfo) -> F32:
        """[rows, columns, H/4, W/4, classes] of all tiles."""
        counts = len(self.grid.rows.starts), len(self.grid.columns.starts)
        return normal(task.classes, *counts, *self.map_size, task.classes)


def mosaic(case: Case, tasks: Sequence[TaskInfo], threads: int) -> dict[str, NDArray[Any]]:
    """Every value of the picture, by task."""
    made = Mosaic(thread_pool(threads), case.grid, case.input_size, tasks)
    maps = {task.name: case.maps(task) for task in tasks}
    for row in range(len(case.grid.rows.starts)):
        columns = range(len(case.grid.columns.starts))
        made.add_row(row, [{name: each[row, c] for name, each in maps.items()} for c in columns])
    return made.values


def blended(case: Case, maps: F32) -> F64:
    """The picture's logits [height, width, classes]."""
    grid = case.grid
    height, width = grid.tile
    # A tile lies in the middle of the input.
    top, left = (case.input_size[0] - height) // 2, (case.input_size[1] - width) // 2
    row_weights = grid.rows.weights().astype(np.float64)
    column_weights = grid.columns.weights().astype(np.float64)
    logits = np.zeros((*case.picture, maps.shape[-1]))
    for row in range(len(grid.rows.starts)):
        for tile in grid.row(row):
            plane = maps[row, tile.column].astype(np.float64)
            samples = reference.windowed(
                plane, case.input_size, Window(height, width, float(top), float(left))
            )
            weights = row_weights[row][:, None] * column_weights[tile.column]
            logits[tile.inside(grid)] += weights[..., None] * samples
    return logits


def error(case: Case, maps: F32) -> float:
    """Of a pixel's logit: of its samples, whose weights sum to one, and of summing them up.

    A weight is the product of two, a term one of two, and each of the tiles adds a term.
    """
    tiles = np.zeros(case.picture)
    for row in range(len(case.grid.rows.starts)):
        for tile in case.grid.row(row):
            tiles[tile.inside(case.grid)] += 1
    summing = bounds.SLACK * (2 + tiles.max()) * bounds.U * np.abs(maps).max()
    return float(bounds.sample(maps.astype(np.float64)) + summing)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    def axis() -> tuple[int, int]:
        side = draw(st.integers(4, 40))
        return draw(st.integers(1, 3 * side)), side

    (height, input_height), (width, input_width) = axis(), axis()
    return Case((height, width), (input_height, input_width), draw(st.floats(0, 0.75)))


@given(cases(), st.sampled_from(list(TASKS.values())))
@example(Case((90, 20), (32, 64)), TASKS["normals"])
@example(Case((20, 150), (32, 64)), TASKS["semseg"])
@example(Case((31, 63), (32, 64)), TASKS["edge"])
@example(Case((32, 64), (32, 64)), TASKS["sal"])
@example(Case((96, 128), (32, 32), 0.0), TASKS["depth"])
@example(Case((50, 70), (32, 32), 0.75), TASKS["many"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_values_are_those_of_the_weighted_sum_of_all_tiles(case: Case, task: TaskInfo) -> None:
    maps = case.maps(task)
    got = mosaic(case, [task], threads=2)[task.name]
    if task.kind == "labels":
        assert got.dtype == (np.uint8 if task.classes <= 256 else np.uint16)
    assert_decoded(task.kind, got, blended(case, maps), error(case, maps))


@given(cases())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_neither_threads_nor_other_tasks_change_a_bit(case: Case) -> None:
    tasks = list(TASKS.values())
    together = mosaic(case, tasks, threads=1)
    assert list(together) == list(TASKS)
    for task in tasks:
        alone = mosaic(case, [task], threads=3)
        np.testing.assert_array_equal(alone[task.name], together[task.name])
