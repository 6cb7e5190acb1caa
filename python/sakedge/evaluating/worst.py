"""The images that a student does worst, drawn beside the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sakedge.drawing.colors import blend, perceptual
from sakedge.measuring.data import Dataset
from sakedge.measuring.metrics import Metric
from sakedge.measuring.metrics.table import Rules
from sakedge.measuring.statistics import Measurement
from sakedge.student import Student
from sakedge.tasks.base import TaskResult

SHOWN = 4
"""Images of each task."""
SIDE = 320
"""Longest side of a picture in pixels."""
_HIDDEN = np.array([255, 255, 255], np.uint8)


@dataclass(frozen=True, eq=False)
class Worst:
    """One image, as it was done and as it should be; pictures are RGB uint8 [h, w, 3].

    Attributes:
        id: Its name.
        score: The metric's value for it alone.
        image: The image.
        found: What the student made of it.
        truth: Ground truth, drawn alike; white where nothing is measured.
    """

    id: str
    score: float
    image: NDArray[np.uint8]
    found: NDArray[np.uint8]
    truth: NDArray[np.uint8]


def worst_images(
    student: Student,
    data: Dataset,
    metrics: Mapping[str, Metric],
    measured: Measurement,
    adapters: tuple[str, ...],
) -> dict[str, list[Worst]]:
    """Runs the images with the worst values again, and draws them.

    Args:
        student: The student.
        data: The data set.
        metrics: The metric of each task.
        measured: What was measured of all images.
        adapters: The adapters that took part.
    """
    found: dict[str, list[Worst]] = {}
    for task, metric in metrics.items():
        scores = metric.value(measured.statistics[task])
        found[task] = []
        for i in worst_first(scores, metric.higher_is_better)[:SHOWN]:
            example = data[i]
            result = student(example.image, adapters=adapters, tasks=[task])
            pictures = _drawn(result[task], example.truth[task], result.image, data.rules[task])
            found[task].append(
                Worst(example.id, float(scores[i]), _small(result.image), *map(_small, pictures))
            )
    return found


def worst_first(scores: NDArray[np.float64], higher_is_better: bool) -> list[int]:
    """Numbers of the images that have a value, the worst first."""
    order = np.argsort(scores if higher_is_better else -scores, kind="stable")
    return [int(i) for i in order if np.isfinite(scores[i])]


def _drawn(
    output: TaskResult, truth: NDArray[Any], image: NDArray[np.uint8], rules: Rules
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    kind = output.info.kind
    if kind == "scalar":
        return _scalars(output.values, truth)
    hidden: NDArray[np.bool_] = truth == rules.ignore
    values = np.where(hidden, 0, truth)
    if kind == "normals":
        hidden, values = np.asarray(truth.any(axis=2)) == 0, truth
    elif kind != "labels":
        values = values.astype(np.float32)
    drawn = replace(output, values=values).draw(image)
    return output.draw(image), _hide(drawn, hidden)


def _scalars(
    found: NDArray[np.float32], truth: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Both in the colours of the truth's range, so that they can be compared."""
    hidden: NDArray[np.bool_] = np.isnan(truth) | (truth <= 0)
    low, high = np.quantile(truth[~hidden], (0.01, 0.99))
    scale = max(float(high - low), 1e-12)
    shown = np.where(hidden, low, truth)
    return perceptual((found - low) / scale), _hide(perceptual((shown - low) / scale), hidden)


def _hide(picture: NDArray[np.uint8], hidden: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return blend(picture, np.broadcast_to(_HIDDEN, picture.shape), hidden)


def _small(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    shown = Image.fromarray(picture)
    shown.thumbnail((SIDE, SIDE))
    return np.asarray(shown)
