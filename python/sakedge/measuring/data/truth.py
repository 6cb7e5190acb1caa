"""From what a file of ground truth holds to what a metric takes, checked against task and image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import DatasetError
from sakedge.measuring.data.base import IGNORE
from sakedge.measuring.metrics.table import Rules
from sakedge.tasks import TaskInfo

SHORTEST_NORMAL = 0.5
"""A shorter vector is none: 8 bits cannot say zero, and noise does not shorten one so far."""


@dataclass(frozen=True)
class Truths:
    """The ground truth of one task.

    Attributes:
        info: The task.
        files: The file of each image by name, or the files where it takes several.
        read: Reads one image's files as they are.
        rules: How the task is measured.
        positive: The value that means 1, for tasks of two values.
        scale: What scalars are multiplied by, which gives the task's unit.
    """

    info: TaskInfo
    files: Mapping[str, tuple[Path, ...]]
    read: Callable[..., NDArray[Any]]
    rules: Rules = field(default_factory=Rules)
    positive: int = 1
    scale: float = 1.0

    def of(self, name: str, size: tuple[int, int]) -> NDArray[Any]:
        """One image's ground truth as `Example.truth` promises it.

        Args:
            name: The image.
            size: Its height and width.

        Raises:
            DatasetError: A file is damaged, has another size, or values that the task cannot have.
        """
        paths = self.files[name]
        values, path = self.read(*paths), paths[0]
        shape = (*size, 3) if self.info.kind == "normals" else size
        if values.shape != shape:
            raise DatasetError(
                f"{path} does not have the size of its image",
                expected=_shown(shape),
                got=_shown(values.shape),
                remedy="Ground truth is given in the image's own pixels",
            )
        if self.info.kind == "normals":
            return _normals(values)
        if self.info.kind == "scalar":
            scalars: NDArray[np.float32] = values.astype(np.float32) * np.float32(self.scale)
            scalars[~np.isfinite(scalars)] = np.nan
            return scalars
        whole = _whole(values, path)
        if self.info.kind == "labels":
            return _labels(whole, self.info, self.rules.ignore, path)
        return _two_values(whole, self.positive, path)


def has_any(info: TaskInfo, truth: NDArray[Any], ignore: int) -> bool:
    """Whether an image's ground truth says anything about any pixel."""
    if info.kind == "normals":
        return bool(truth.any())
    if info.kind == "scalar":
        return bool((truth > 0).any())
    return bool((truth != (ignore if info.kind == "labels" else IGNORE)).any())


def _shown(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _whole(values: NDArray[Any], path: Path) -> NDArray[np.int64]:
    whole = values.astype(np.int64) if np.isfinite(values).all() else np.zeros(0, np.int64)
    if whole.shape != values.shape or (whole != values).any():
        raise DatasetError(
            f"{path} holds fractions or no numbers where it says what a pixel is",
            expected="whole numbers",
            got=f"{values.dtype}",
        )
    return whole


def _labels(
    labels: NDArray[np.int64], info: TaskInfo, ignore: int, path: Path
) -> NDArray[np.uint8 | np.uint16]:
    wrong = labels[((labels < 0) | (labels >= info.classes)) & (labels != ignore)]
    if wrong.size:
        found = ", ".join(map(str, np.unique(wrong)[:5]))
        raise DatasetError(
            f"{path} has labels that the task {info.name} does not have",
            expected=f"0 to {info.classes - 1}, and {ignore} for pixels to ignore",
            got=f"{found} at {wrong.size} pixels",
            remedy="Map the labels to the student's classes, or state another `ignore`",
        )
    wide = max(info.classes - 1, ignore) > np.iinfo(np.uint8).max
    return labels.astype(np.uint16 if wide else np.uint8)


def _two_values(values: NDArray[np.int64], positive: int, path: Path) -> NDArray[np.uint8]:
    allowed = (0, positive) if positive == IGNORE else (0, positive, IGNORE)
    wrong = values[~np.isin(values, allowed)]
    if wrong.size:
        raise DatasetError(
            f"{path} has values that mean neither yes nor no",
            expected=f"{' or '.join(map(str, allowed))}",
            got=f"{', '.join(map(str, np.unique(wrong)[:5]))} at {wrong.size} pixels",
            remedy="State which value means yes as `positive` in dataset.json",
        )
    found = np.where(values == positive, 1, np.where(values == IGNORE, IGNORE, 0))
    return found.astype(np.uint8)


def _normals(values: NDArray[Any]) -> NDArray[np.float32]:
    vectors = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    length = np.linalg.norm(vectors, axis=2, keepdims=True)
    return np.where(length < SHORTEST_NORMAL, 0, vectors / np.maximum(length, SHORTEST_NORMAL))
