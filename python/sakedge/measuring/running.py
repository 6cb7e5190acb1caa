"""Runs whatever gives results over a data set, and keeps what the metrics need of each image."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from sakedge.arguments import pick
from sakedge.errors import UnknownTaskError
from sakedge.format import Manifest
from sakedge.images import Picture
from sakedge.measuring.data import Dataset, Example
from sakedge.measuring.metrics import Metric, metric_for
from sakedge.measuring.statistics import CHUNK, Measurement, Store
from sakedge.progress import Progress
from sakedge.result import Result
from sakedge.runtime.model import silent


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
    run: Callable[[Picture], Result],
    data: Dataset,
    metrics: Mapping[str, Metric],
    *,
    progress: Progress | None = None,
    store: Store | None = None,
) -> Measurement:
    """Runs a data set's images one by one.

    Args:
        run: Gives an image's result, with an output of each task to measure.
        data: The data set.
        metrics: The metric of each task to measure.
        progress: Called with the progress made.
        store: Keeps what was measured, and has what an earlier run has measured.

    Raises:
        DatasetError: Ground truth cannot be used.
        ImageError, StorageError: An image cannot be read, or the store not written.
        SakedgeError: What `run` raises.
    """
    tell = silent if progress is None else progress
    parts: list[Measurement] = []
    done, start = 0, time.perf_counter()
    for first in range(0, len(data), CHUNK):
        numbers = range(first, min(first + CHUNK, len(data)))
        part = None if store is None else store.read(data.ids[first : numbers.stop])
        if part is None:
            rows = []
            for i in numbers:
                tell(_step(i, len(data), done, time.perf_counter() - start), i / len(data))
                rows.append(_measure_one(run, data[i], metrics))
                done += 1
            part = Measurement.of(rows)
            if store is not None:
                store.write(part)
        parts.append(part)
    tell(f"{len(data)} images", 1.0)
    return Measurement.of(parts)


def measure_result(
    example: Example, result: Result, metrics: Mapping[str, Metric], ms: float
) -> Measurement:
    """What the metrics need of one image.

    Args:
        example: The image and its truth.
        result: What was found.
        metrics: The metric of each task to measure.
        ms: Milliseconds that it took.
    """
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


def _measure_one(
    run: Callable[[Picture], Result], example: Example, metrics: Mapping[str, Metric]
) -> Measurement:
    begin = time.perf_counter()
    result = run(example.image)
    ms = 1000 * (time.perf_counter() - begin)
    return measure_result(example, result, metrics, ms)


def _step(index: int, total: int, done: int, seconds: float) -> str:
    rate = f", {done / seconds:.2g} a second" if done else ""
    return f"image {index + 1} of {total}{rate}"
