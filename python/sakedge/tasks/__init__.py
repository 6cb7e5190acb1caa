"""One file per kind of output. A new kind is one file and one line here."""

from __future__ import annotations

from sakedge.tasks.base import TaskResult
from sakedge.tasks.labels import LabelsResult
from sakedge.tasks.normals import NormalsResult
from sakedge.tasks.probability import ProbabilityResult, TwoClassResult
from sakedge.tasks.scalar import ScalarResult

__all__ = ["KINDS", "TaskResult"]

KINDS: dict[str, type[TaskResult]] = {
    "labels": LabelsResult,
    "probability": ProbabilityResult,
    "two_class": TwoClassResult,
    "normals": NormalsResult,
    "scalar": ScalarResult,
}
