"""Runs a student over a data set and keeps what its metrics need of each image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sakedge.images import Picture
from sakedge.measuring import running
from sakedge.measuring.data import Dataset
from sakedge.measuring.metrics import Metric
from sakedge.measuring.statistics import Measurement, Store
from sakedge.progress import Progress
from sakedge.result import Result
from sakedge.runtime import machine
from sakedge.student import Student


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
    tasks = list(metrics)

    def run(picture: Picture) -> Result:
        return student(picture, adapters=adapters, tasks=tasks)

    kept = None if store is None else Store(store, _setting(student, data, metrics, adapters))
    return running.measure(run, data, metrics, progress=progress, store=kept)


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
