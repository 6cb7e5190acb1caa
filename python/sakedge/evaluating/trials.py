"""Runs configurations of one student on one data set, with one precision loaded at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from sakedge.api import load
from sakedge.evaluating.advice import Configuration
from sakedge.evaluating.cost import CALLS, median_ms, weight_bytes
from sakedge.evaluating.run import measure
from sakedge.measuring.data import Dataset, subset
from sakedge.measuring.metrics import Metric
from sakedge.measuring.statistics import Measurement
from sakedge.progress import Progress
from sakedge.student import Student

SHARE = 4
"""The first look is at every fourth image."""

FEWEST = 16
"""Fewer images than this are no first look."""


class Trials:
    """One student, one data set, any precision and adapters.

    Args:
        path: The student.
        data: What it is judged on.
        metrics: The metric of each task to run.
        options: Of `load`, beside adapters and precision.
    """

    def __init__(
        self,
        path: str,
        data: Dataset,
        metrics: Mapping[str, Metric],
        options: Mapping[str, Any],
    ) -> None:
        self.metrics = metrics
        self._path = path
        self._options = {"tasks": list(metrics), **options}
        order = sorted(range(len(data)), key=lambda i: (i % SHARE != 0, i))
        first = max(FEWEST, -(-len(data) // SHARE))
        parts = [part for part in (order[:first], order[first:]) if part]
        self._parts = [subset(data, part, data.name) for part in parts]
        self._pictures = [data[i].image for i in order[:CALLS]]
        self._precision = ""
        self._loaded = ExitStack()
        self._student: Student | None = None

    def __enter__(self) -> Trials:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loaded.close()

    def time(self, adapters: Sequence[str], precision: str) -> Configuration:
        """Times a configuration, and weighs it.

        Raises:
            SakedgeError: As of `load`: a BackendError if no backend runs the precision.
        """
        student, tasks = self._at(precision), list(self.metrics)
        return Configuration(
            tuple(adapters),
            precision,
            student.explain().backend,
            median_ms(student, self._pictures, adapters, tasks),
            weight_bytes(student.manifest, adapters, tasks),
        )

    def looks(
        self, adapters: Sequence[str], precision: str, progress: Progress
    ) -> Iterator[Measurement]:
        """Measures a configuration on a part of the images, and then on all of them.

        Raises:
            SakedgeError: As of `load` and `measure`.
        """
        student = self._at(precision)
        found: list[Measurement] = []
        for part in self._parts:
            found.append(measure(student, part, self.metrics, adapters=adapters, progress=progress))
            yield Measurement.of(found)

    def _at(self, precision: str) -> Student:
        if self._student is None or self._precision != precision:
            self._loaded.close()
            self._student = None
            student = load(self._path, precision=precision, **self._options)
            self._student = self._loaded.enter_context(student)
            self._precision = precision
        return self._student
