"""What an evaluation found, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.evaluating.ablation import Ablation
from sakedge.evaluating.worst import Worst
from sakedge.measuring.intervals import Estimate, estimate, relative_drop
from sakedge.measuring.metrics import BoundaryF, Curve, MeanIoU, Metric, RegionF
from sakedge.measuring.statistics import Measurement
from sakedge.tasks import TaskInfo

LEVEL = 0.95
"""Share of the bootstrap's draws that lie in an interval."""


@dataclass(frozen=True, eq=False)
class Score:
    """How well one task was done in one run.

    Attributes:
        metric: The metric.
        found: Its value over all images, with its interval.
        drop: How much worse that is than in the first run, relative to it, with the interval of the
            paired difference; None in the first run.
        per_image: Its value for each image alone, [N]; NaN where nothing of one is measured.
        sums: Its statistics, added up over the images.
    """

    metric: Metric
    found: Estimate
    drop: Estimate | None
    per_image: NDArray[np.float64]
    sums: NDArray[np.float64]

    @classmethod
    def of(
        cls, metric: Metric, statistics: NDArray[np.float64], first: NDArray[np.float64] | None
    ) -> Score:
        """Of the statistics [N, S] of a run, and those of the first run to compare with."""
        return cls(
            metric,
            estimate(metric, statistics, level=LEVEL),
            None if first is None else relative_drop(metric, first, statistics, level=LEVEL),
            metric.value(statistics),
            statistics.sum(axis=0),
        )

    @property
    def classes(self) -> NDArray[np.float64] | None:
        """IoU of each class in per cent, of a label map."""
        return self.metric.class_iou(self.sums) if isinstance(self.metric, MeanIoU) else None

    @property
    def confusion(self) -> NDArray[np.float64] | None:
        """Pixels by true and by found class, of a label map of not too many classes."""
        return self.metric.confusion(self.sums) if isinstance(self.metric, MeanIoU) else None

    @property
    def curve(self) -> Curve | None:
        """Precision, recall and F over thresholds, of a probability."""
        metric = self.metric
        return metric.curve(self.sums) if isinstance(metric, BoundaryF | RegionF) else None

    def to_dict(self) -> dict[str, Any]:
        """In numbers, ready for JSON."""
        curve, classes, confusion = self.curve, self.classes, self.confusion
        return {
            "metric": self.metric.name,
            "unit": self.metric.unit,
            "higher_is_better": self.metric.higher_is_better,
            **asdict(self.found),
            "drop": None if self.drop is None else asdict(self.drop),
            "measured_images": int(np.isfinite(self.per_image).sum()),
            **({} if classes is None else {"class_iou": classes.tolist()}),
            **({} if confusion is None else {"confusion": confusion.astype(int).tolist()}),
            **({} if curve is None else {"curve": _curve(curve)}),
        }


@dataclass(frozen=True, eq=False)
class Run:
    """One configuration, measured over the whole data set.

    Attributes:
        adapters: Those that took part.
        told: The student's `explain()` as a dict.
        scores: By task.
        measured: What was measured of each image.
        delta_m: Mean relative gain over the baseline in per cent, if one was given.
    """

    adapters: tuple[str, ...]
    told: Mapping[str, Any]
    scores: Mapping[str, Score]
    measured: Measurement
    delta_m: float | None = None

    @property
    def name(self) -> str:
        """The configuration in words."""
        adapters = " + ".join(self.adapters) or "stem only"
        return f"{self.told['backend']}, {self.told['precision']}, {adapters}"

    @property
    def ms(self) -> float:
        """Median milliseconds of a call."""
        return float(np.median(self.measured.ms))

    def routing(self) -> dict[str, NDArray[np.float64]]:
        """Mean weight over the images by task, [levels, experts]."""
        return {
            task: np.asarray(weights, np.float64).mean(axis=0)
            for task, weights in self.measured.routing.items()
        }


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What an evaluation found.

    Attributes:
        student: Path, digests, levels and experts of the student.
        data: Name, digest and size of the data set.
        machine: What it ran on.
        infos: The student's description of each task that was measured.
        runs: The configurations; the others are compared with the first.
        baseline: What Δm refers to: a value by task; empty for none.
        ablation: What each adapter is worth, if it was asked for.
        worst: By task the images that the first run did worst, if they were asked for.
    """

    student: Mapping[str, Any]
    data: Mapping[str, Any]
    machine: Mapping[str, Any]
    infos: Mapping[str, TaskInfo]
    runs: Sequence[Run]
    baseline: Mapping[str, float]
    ablation: Ablation | None
    worst: Mapping[str, Sequence[Worst]]

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks that were measured."""
        return tuple(self.infos)

    def routing_dict(self, routing: Mapping[str, NDArray[np.float64]]) -> dict[str, Any]:
        """Routing weights by task, level and expert."""
        return {
            task: {
                str(level): dict(zip(self.student["experts"], row.tolist(), strict=True))
                for level, row in zip(self.student["levels"], rows, strict=True)
            }
            for task, rows in routing.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """All of it but pictures, ready for JSON; docs/evaluate.md explains the fields."""
        return {
            "student": dict(self.student),
            "data": dict(self.data),
            "machine": dict(self.machine),
            "interval": LEVEL,
            "baseline": dict(self.baseline) or None,
            "runs": [self._run(run) for run in self.runs],
            "ablation": None if self.ablation is None else self._ablation(self.ablation),
            "worst": {task: [each.id for each in found] for task, found in self.worst.items()},
        }

    def _run(self, run: Run) -> dict[str, Any]:
        told = ("model", "backend", "device", "precision", "stem_precision", "decoder_precision")
        parts = {key: value for key, value in run.told["digests"].items() if "adapters." not in key}
        ours = {f"adapters.{name}" for name in run.adapters}
        return {
            "adapters": list(run.adapters),
            **{key: run.told[key] for key in (*told, "isa", "threads", "session")},
            "digests": parts | {k: v for k, v in run.told["digests"].items() if k in ours},
            "ms": run.ms,
            "delta_m": run.delta_m,
            "tasks": {task: score.to_dict() for task, score in run.scores.items()},
            "routing": self.routing_dict(run.routing()),
        }

    def _ablation(self, ablation: Ablation) -> dict[str, Any]:
        return {
            "backend": ablation.backend,
            "precision": ablation.precision,
            "subsets": [
                {
                    "adapters": list(each.adapters),
                    "ms": each.ms,
                    "weight_bytes": each.weight_bytes,
                    "tasks": {task: asdict(found) for task, found in each.values.items()},
                    "routing": self.routing_dict(each.routing),
                }
                for each in ablation.subsets
            ],
            "worth": ablation.as_dicts(ablation.worth),
            "instead": ablation.as_dicts(ablation.instead),
            "added": ablation.as_dicts(ablation.added),
        }


def _curve(curve: Curve) -> dict[str, list[float]]:
    return {name: np.asarray(values, np.float64).tolist() for name, values in vars(curve).items()}
