"""Regions of a map: connected components, each with its area, its box and its score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Region:
    """Pixels of one class that touch each other, diagonally included.

    Attributes:
        label: Name of the class, or of the task where it has no classes.
        area: Pixels.
        box: Left, top, right, bottom in pixels; `image[top:bottom, left:right]` holds the region.
        score: The highest probability in it, or None where none was given.
    """

    label: str
    area: int
    box: tuple[int, int, int, int]
    score: float | None = None

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.box[2] - self.box[0]

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.box[3] - self.box[1]


def find_regions(
    classes: NDArray[np.signedinteger[Any]],
    names: tuple[str, ...],
    scores: NDArray[np.float32] | None = None,
    *,
    min_area: int = 1,
) -> list[Region]:
    """Finds the regions of a map, the largest first.

    Runs of equal pixels along a row are the nodes; two that touch in neighbouring rows are an edge.
    Every run takes the lowest number that it can reach, by edges and by jumping to the number of
    its number, so that a region of any shape is found in few rounds.

    Args:
        classes: Class of each pixel, signed [h, w]; below 0 it belongs to no region.
        names: Name of each class.
        scores: Probability of each pixel [h, w].
        min_area: Regions of fewer pixels are left out.
    """
    height, width = classes.shape
    edges = np.full((height, 1), -1, classes.dtype)  # rows do not run into each other
    line = np.hstack([classes, edges]).ravel()
    changes = np.flatnonzero(np.diff(line, prepend=-1))
    starts = changes[line[changes] >= 0]
    if not len(starts):
        return []
    ends = changes[np.searchsorted(changes, starts, "right")]
    kinds, lengths = line[starts], ends - starts
    roots = _lowest_reached(len(starts), *_touching(starts, ends, kinds, width + 1))

    found, region = np.unique(roots, return_inverse=True)
    count = len(found)
    area = np.bincount(region, lengths, count).astype(np.int64)
    rows, left = np.divmod(starts, width + 1)
    box = np.empty((count, 4), np.int64)
    box[:, :2] = max(height, width)
    box[:, 2:] = 0
    np.minimum.at(box[:, 0], region, left)
    np.minimum.at(box[:, 1], region, rows)
    np.maximum.at(box[:, 2], region, left + lengths)
    np.maximum.at(box[:, 3], region, rows + 1)
    best: list[float | None] = [None] * count
    if scores is not None:
        padded = np.hstack([scores, np.zeros((height, 1), scores.dtype)]).ravel()
        highest = np.zeros(count, scores.dtype)
        spans = np.column_stack([starts, ends]).ravel()
        np.maximum.at(highest, region, np.maximum.reduceat(padded, spans)[::2])
        best = [float(score) for score in highest]
    order = [i for i in np.argsort(-area, kind="stable") if area[i] >= min_area]
    return [Region(names[kinds[found[i]]], int(area[i]), _box(box[i]), best[i]) for i in order]


def _touching(
    starts: NDArray[Any], ends: NDArray[Any], kinds: NDArray[Any], stride: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Pairs of runs of one class that touch, the first in a row and the second in the next."""
    first = np.searchsorted(ends, starts + stride, "left")
    behind = np.searchsorted(starts, ends + stride, "right")
    counts = np.maximum(behind - first, 0)
    above = np.repeat(np.arange(len(starts)), counts)
    offset = np.arange(len(above)) - np.repeat(np.cumsum(counts) - counts, counts)
    below = np.repeat(first, counts) + offset
    same = kinds[above] == kinds[below]
    return above[same], below[same]


def _lowest_reached(count: int, above: NDArray[Any], below: NDArray[Any]) -> NDArray[np.int64]:
    """The lowest node of each node's component, given the edges between `count` nodes."""
    lowest = np.arange(count)
    while True:
        one, other = lowest[above], lowest[below]
        least = np.minimum(one, other)
        if np.array_equal(one, other):
            return lowest
        np.minimum.at(lowest, one, least)
        np.minimum.at(lowest, other, least)
        while not np.array_equal(lowest, jumped := lowest[lowest]):
            lowest = jumped


def _box(box: NDArray[np.int64]) -> tuple[int, int, int, int]:
    left, top, right, bottom = (int(side) for side in box)
    return left, top, right, bottom
