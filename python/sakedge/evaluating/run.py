"""Runs a student over a data set and keeps what its metrics need of each image."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sakedge.arguments import pick
from sakedge.errors import UnknownTaskError
from sakedge.evaluating.data import Dataset
from sakedge.evaluating.metrics import Metric, metric_for
from sakedge.evaluating.statistics import CHUNK, Measurement, Store
from sakedge.format import Manifest
from sakedge.progress import Progress
from sakedge.runtime import machine
from sakedge.runtime.model import silent
from sakedge.student import Student

__all__ = ["Measurement", "measure", "metrics_for"]


def metrics_for(
    data: Dataset, manifest: Manifest, tasks: str | Sequence[str] | None = None
) -> dict[str, Metric]:
    """The metric of each task, as the data set wants it measured.

    Args:
        data: The data set.
        manifest: The student's.
        tasks: Some of the data set's tasks; None is all.

    Raises:
        UnknownTaskError: The data set has no ground truth for a task.
    """
    infos = {info.name: info for info in manifest.tasks}
    names = pick("task of the data set", tasks, data.tasks, UnknownTaskError)
    return {name: metric_for(infos[name], **vars(data.rules[name])) for name in names}


def measure(
    student: Student,
    data: Dataset,
    metrics: Mapping[str, Metric],
    *,
    adapters: Sequence[str] | None = None,
    progress: Progress | None = None,
    store: Path | None = None,
) -> Measurement:
    """Runs a student over a data set.

    Args:
        student: The student.
        data: The data set.
        metrics: The metric of each task to measure.
        adapters: Some of the loaded adapters; None is all, `[]` the stem alone.
        progress: Called with the progress made.
        store: A folder in which what was measured is kept, and found again by the next run with
            the same student, adapters, data, metrics and runtime.

    Raises:
        DatasetError: Ground truth cannot be used.
        ImageError, NumericError, StorageError, BackendError: An image cannot be read or run.
        UnknownAdapterError, UnknownTaskError: The student has no such part.
    """
    tell = silent if progress is None else progress
    kept = None if store is None else Store(store, _setting(student, data, metrics, adapters))
    parts: list[Measurement] = []
    done, start = 0, time.perf_counter()
    for first in range(0, len(data), CHUNK):
        numbers = range(first, min(first + CHUNK, len(data)))
        part = None if kept is None else kept.read(data.ids[first : numbers.stop])
        if part is None:
            rows = []
            for i in numbers:
                tell(_step(i, len(data), done, time.perf_counter() - start), i / len(data))
                rows.append(_measure_one(student, data, i, metrics, adapters))
                done += 1
            part = Measurement.of(rows)
            if kept is not None:
                kept.write(part)
        parts.append(part)
    tell(f"{len(data)} images", 1.0)
    return Measurement.of(parts)


def _measure_one(
    student: Student,
    data: Dataset,
    index: int,
    metrics: Mapping[str, Metric],
    adapters: Sequence[str] | None,
) -> Measurement:
    example = data[index]
    begin = time.perf_counter()
    result = student(example.image, adapters=adapters, tasks=list(metrics))
    ms = 1000 * (time.perf_counter() - begin)
    statistics = {
        task: metric.measure(result[task].values, example.truth[task])
        for task, metric in metrics.items()
    }
    return Measurement(
        (example.id,),
        {task: each[np.newaxis] for task, each in statistics.items()},
        {task: routing.weights[np.newaxis] for task, routing in result.routing.items()},
        np.array([ms]),
    )


def _setting(
    student: Student,
    data: Dataset,
    metrics: Mapping[str, Metric],
    adapters: Sequence[str] | None,
) -> dict[str, Any]:
    """All that the figures depend on."""
    told = student.explain()
    active = told.adapters if adapters is None else adapters
    parts = {k: v for k, v in told.digests.items() if not k.startswith("adapters.")}
    return {
        "student": told.digest,
        "parts": parts | {name: told.digests[f"adapters.{name}"] for name in sorted(active)},
        "precision": [told.precision, told.stem_precision, told.decoder_precision],
        "runtime": [told.model, told.backend, told.device, told.isa, machine.cpu_model()],
        "versions": machine.backend_versions(),
        "fit": student.manifest.preprocess.fit,
        "data": data.digest,
        "metrics": {task: repr(metric) for task, metric in metrics.items()},
    }


def _step(index: int, total: int, done: int, seconds: float) -> str:
    rate = f", {done / seconds:.2g} a second" if done else ""
    return f"image {index + 1} of {total}{rate}"
