"""Measuring a student over a data set, and going on where a run was interrupted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import sakedge
from sakedge.evaluating.run import measure
from sakedge.format import Manifest
from sakedge.measuring import statistics
from sakedge.measuring.data import Dataset, open_dataset, subset
from sakedge.measuring.metrics import Metric
from sakedge.measuring.running import metrics_for
from sakedge.measuring.statistics import Measurement

Make = Callable[..., Path]


@pytest.fixture
def data(folder: Make, manifest: Manifest) -> Dataset:
    return open_dataset(folder(5), manifest)


@pytest.fixture
def metrics(data: Dataset, manifest: Manifest) -> dict[str, Metric]:
    return metrics_for(data, manifest)


def _same(one: Measurement, other: Measurement) -> bool:
    return one.ids == other.ids and all(
        np.array_equal(one.statistics[task], other.statistics[task])
        and np.array_equal(one.routing[task], other.routing[task])
        for task in one.statistics
    )


def test_it_keeps_the_statistics_of_each_image(
    student: sakedge.Student, data: Dataset, metrics: dict[str, Metric]
) -> None:
    found = measure(student, data, metrics, adapters=["sam"])
    assert found.ids == data.ids and len(found) == 5
    for i in (0, 4):
        example = data[i]
        result = student(example.image, adapters=["sam"])
        for task, metric in metrics.items():
            expected = metric.measure(result[task].values, example.truth[task])
            assert np.array_equal(found.statistics[task][i], expected)
            assert np.array_equal(found.routing[task][i], result.routing[task].weights)
    assert found.ms.shape == (5,) and (found.ms > 0).all()


def test_only_the_tasks_that_have_a_metric_are_run(
    student: sakedge.Student, data: Dataset, manifest: Manifest
) -> None:
    found = measure(student, data, metrics_for(data, manifest, ["sal"]))
    assert list(found.statistics) == list(found.routing) == ["sal"]


def test_an_interrupted_run_goes_on_where_it_was(
    student: sakedge.Student,
    data: Dataset,
    metrics: dict[str, Metric],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sakedge.measuring.running.CHUNK", 2)
    store = tmp_path / "store"
    seen: list[str] = []

    def interrupt(step: str, share: float) -> None:
        seen.append(step)
        if step.startswith("image 4"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(student, data, metrics, progress=interrupt, store=store)
    assert len(list(store.iterdir())) == 1
    seen.clear()
    found = measure(student, data, metrics, progress=lambda step, _: seen.append(step), store=store)
    assert [step.split(",")[0] for step in seen] == [
        *(f"image {i} of 5" for i in (3, 4, 5)),
        "5 images",
    ]
    assert "a second" in seen[1]
    assert _same(found, measure(student, data, metrics))


def test_what_was_measured_otherwise_is_not_taken(
    student: sakedge.Student, data: Dataset, metrics: dict[str, Metric], tmp_path: Path
) -> None:
    def counted(data: Dataset, adapters: list[str] | None) -> int:
        steps: list[str] = []
        measure(
            student,
            data,
            metrics,
            adapters=adapters,
            progress=lambda step, _: steps.append(step),
            store=tmp_path,
        )
        return len(steps) - 1

    assert counted(data, None) == 5
    assert counted(data, None) == 0
    assert counted(data, []) == 5
    assert counted(subset(data, [0, 1], "two"), None) == 2


@pytest.mark.parametrize("damage", [lambda raw: raw[:100], lambda raw: b"", lambda raw: raw[::-1]])
def test_a_damaged_chunk_is_measured_again(
    student: sakedge.Student,
    data: Dataset,
    metrics: dict[str, Metric],
    tmp_path: Path,
    damage: Callable[[bytes], bytes],
) -> None:
    store = tmp_path / "store"
    whole = measure(student, data, metrics, store=store)
    (chunk,) = store.iterdir()
    chunk.write_bytes(damage(chunk.read_bytes()))
    assert _same(measure(student, data, metrics, store=store), whole)
    assert statistics.Store(store, {"another": "setting"}).read(data.ids) is None
