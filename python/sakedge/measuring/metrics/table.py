"""The one table from kinds of task to metrics."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from sakedge.measuring.metrics.base import Agreement, Metric
from sakedge.measuring.metrics.boundaries import BoundaryAgreement, BoundaryF
from sakedge.measuring.metrics.labels import LabelAgreement, MeanIoU
from sakedge.measuring.metrics.normals import MeanAngle
from sakedge.measuring.metrics.regions import RegionAgreement, RegionF
from sakedge.measuring.metrics.scalar import RelativeError, RootMeanSquare
from sakedge.tasks import TaskInfo

FARTHEST = 80.0
"""Metres beyond which the official evaluation does not count a depth."""


@dataclass(frozen=True)
class Rules:
    """What a data set says of how one of its tasks is counted.

    Attributes:
        ignore: The value of truth of pixels that are not counted.
        background: A label that alone makes an image not count; see `MeanIoU`.
        edge_tolerance: How far apart matched boundary pixels may lie; see `BoundaryF`.
    """

    ignore: int = 255
    background: int | None = None
    edge_tolerance: float = 0.0075


METRICS: dict[str, Callable[[TaskInfo, Rules], Metric]] = {
    "labels": lambda task, rules: MeanIoU(task.classes, rules.ignore, rules.background),
    "probability": lambda task, rules: BoundaryF(rules.edge_tolerance, rules.ignore),
    "two_class": lambda task, rules: RegionF(rules.ignore),
    "normals": lambda task, rules: MeanAngle(),
    "scalar": lambda task, rules: RootMeanSquare(
        task.unit or "", FARTHEST if task.unit == "m" else math.inf
    ),
}
"""Kind of task → its metric."""

AGREEMENTS: dict[str, Agreement] = {
    "labels": LabelAgreement(),
    "probability": BoundaryAgreement(),
    "two_class": RegionAgreement(),
    "normals": MeanAngle("mean angular difference"),
    "scalar": RelativeError(),
}
"""Kind of task → how near two students are to each other."""


def metric_for(
    task: TaskInfo,
    *,
    ignore: int = 255,
    background: int | None = None,
    edge_tolerance: float = 0.0075,
) -> Metric:
    """The metric of a task; the arguments are as of `Rules`."""
    return METRICS[task.kind](task, Rules(ignore, background, edge_tolerance))


def agreement_for(task: TaskInfo) -> Agreement:
    """The metric of a task with another student's output as the truth."""
    return AGREEMENTS[task.kind]
