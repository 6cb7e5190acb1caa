"""The gate: judges students by images, task by task, against themselves in fp32."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from sakedge.evaluating.run import measure
from sakedge.measuring.data import Dataset, subset
from sakedge.measuring.intervals import Estimate, disagreement, relative_drop
from sakedge.measuring.metrics import Metric
from sakedge.measuring.statistics import Measurement
from sakedge.progress import Progress
from sakedge.quantizing.data import Answered
from sakedge.quantizing.options import Options
from sakedge.quantizing.sets import spread
from sakedge.quantizing.verdict import Verdict
from sakedge.student import Student


@dataclass(frozen=True)
class Judge:
    """Judges students by some images.

    Attributes:
        data: The images.
        digest: SHA-256 of all of them and their labels.
        unlabelled: Tasks that are judged by their agreement with fp32.
        metrics: By task.
        allowed: By task the largest drop.
        reference: The student in fp32.
        bare: The same without adapters; None for a student that has none.
    """

    data: Dataset
    digest: str
    unlabelled: tuple[str, ...]
    metrics: Mapping[str, Metric]
    allowed: Mapping[str, float]
    reference: Measurement
    bare: Measurement | None

    @classmethod
    def of(cls, data: Answered, student: Student, options: Options, progress: Progress) -> Judge:
        """Measures the student in fp32, with all adapters and with none."""
        metrics = data.metrics(student.manifest)
        allowed = {
            task: options.allowed(task, labelled=task not in data.unlabelled) for task in metrics
        }
        reference = measure(student, data, metrics, progress=steps("fp32", progress))
        bare = None
        if student.manifest.adapters:
            told = steps("fp32 without adapters", progress)
            bare = measure(student, data, metrics, adapters=[], progress=told)
        return cls(data, data.digest, data.unlabelled, metrics, allowed, reference, bare)

    def part(self, count: int) -> Judge:
        """Judges by some of the images only."""
        some = spread(len(self.data), count)
        bare = None if self.bare is None else _rows(self.bare, some)
        data = subset(self.data, some, self.data.name)
        return replace(self, data=data, reference=_rows(self.reference, some), bare=bare)

    def measure(
        self, student: Student, progress: Progress, tasks: Sequence[str] | None = None
    ) -> Measurement:
        """Runs a student on the images; some of its tasks, or all."""
        wanted = {t: m for t, m in self.metrics.items() if tasks is None or t in tasks}
        return measure(student, self.data, wanted, progress=progress)

    def judge(self, found: Measurement) -> dict[str, Verdict]:
        """The verdict on each task that was measured."""
        return {task: self._verdict(task, each) for task, each in found.statistics.items()}

    def _verdict(self, task: str, found: NDArray[Any]) -> Verdict:
        metric, reference = self.metrics[task], self.reference.statistics[task]
        bare = None if self.bare is None else self.bare.statistics[task]
        return Verdict(
            metric=metric.name,
            unit=metric.unit,
            reference=float(metric.value(reference.sum(axis=0))),
            value=float(metric.value(found.sum(axis=0))),
            drop=self._drop(task, found),
            allowed=self.allowed[task],
            worth=None if bare is None else self._drop(task, bare),
            n=len(found),
            dataset=self.data.name,
            dataset_digest=self.digest,
            labelled=task not in self.unlabelled,
        )

    def _drop(self, task: str, found: NDArray[Any]) -> Estimate:
        """How much worse than fp32: without labels, how far from it."""
        metric: Any = self.metrics[task]
        if task in self.unlabelled:
            return disagreement(metric, found)
        return relative_drop(metric, self.reference.statistics[task], found)


def steps(name: str, progress: Progress) -> Progress:
    """Progress whose steps begin with a name."""
    return lambda step, share: progress(f"{name}: {step}", share)


def _rows(measurement: Measurement, some: Sequence[int]) -> Measurement:
    rows = list(some)
    return Measurement(
        tuple(measurement.ids[i] for i in rows),
        {task: each[rows] for task, each in measurement.statistics.items()},
        {task: each[rows] for task, each in measurement.routing.items()},
        measurement.ms[rows],
    )
