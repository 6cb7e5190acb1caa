"""NYUD-v2 as the multi-task literature has it: `gt_sets/val.txt`, `images/`, a folder per task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.measuring.data.base import IGNORE
from sakedge.measuring.data.files import FileDataset
from sakedge.measuring.data.raw import read_values, read_vectors
from sakedge.measuring.data.splits import files_named, images_named, listed
from sakedge.measuring.data.truth import Truths
from sakedge.measuring.metrics.table import Rules
from sakedge.tasks import TaskInfo

MARK = "gt_sets"
"""The folder by which the layout is known."""
CLASSES = 40
RULES = Rules(edge_tolerance=0.011)


def _read_labels(path: Path) -> NDArray[Any]:
    """Labels from 0: the files count from 1, where 0 is no label."""
    labels = read_values(path).astype(np.int64) - 1
    return np.where(labels < 0, IGNORE, labels)


def _read_edges(path: Path) -> NDArray[Any]:
    """Boundaries, 0 or 1: PNG files have 255 for 1, NumPy files 1."""
    values = read_values(path)
    edges: NDArray[Any] = values > values.max(initial=0) / 2
    return edges


_LAYOUT: dict[tuple[str, str], tuple[str, Callable[[Path], NDArray[Any]]]] = {
    ("semseg", "labels"): ("segmentation", _read_labels),
    ("edge", "probability"): ("edge", _read_edges),
    ("normals", "normals"): ("normals", read_vectors),
    ("depth", "scalar"): ("depth", read_values),
}
"""Name and kind of a task → its folder, and how its files are read."""


def open_nyud(root: Path, tasks: Mapping[str, TaskInfo]) -> FileDataset:
    """Opens the validation set.

    Raises:
        DatasetError: Something is missing.
    """
    names = listed(root / MARK / "val.txt")
    truths = {}
    for task, info in tasks.items():
        if (task, info.kind) in _LAYOUT and (task != "semseg" or info.classes == CLASSES):
            folder, read = _LAYOUT[task, info.kind]
            if (root / folder).is_dir():
                files = files_named([root / folder], names, (".png", ".npy"))
                truths[task] = Truths(info, files, read, RULES)
    return FileDataset("NYUD-v2 val", images_named(root / "images", names, ".png"), truths)
