"""What holds of every metric."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from sakedge.errors import OptionError
from sakedge.measuring.intervals import disagreement
from sakedge.measuring.metrics import Metric, agreement_for, metric_for
from sakedge.measuring.metrics.table import AGREEMENTS, METRICS
from sakedge.tasks import KINDS, TaskInfo

TASKS = {
    "labels": TaskInfo(name="semseg", kind="labels", classes=5),
    "probability": TaskInfo(name="edge", kind="probability", classes=1),
    "two_class": TaskInfo(name="sal", kind="two_class", classes=2),
    "normals": TaskInfo(name="normals", kind="normals", classes=3),
    "scalar": TaskInfo(name="depth", kind="scalar", classes=1, unit="m"),
}
SIZE = (40, 48)
kinds = pytest.mark.parametrize("kind", KINDS)


def _output(kind: str, seed: int) -> NDArray[Any]:
    """What a student might say of an image."""
    random = np.random.default_rng(seed)
    smooth = gaussian_filter(random.normal(size=(3, *SIZE)), (0, 3, 3)).astype(np.float32)
    smooth /= np.abs(smooth).max()
    if kind == "labels":
        return np.digitize(smooth[0], [-0.4, -0.1, 0.1, 0.4]).astype(np.uint8)
    if kind == "normals":
        return np.moveaxis(smooth / np.linalg.norm(smooth, axis=0), 0, -1)
    return smooth[0] + 2 if kind == "scalar" else np.exp(-30 * smooth[0] ** 2)


def _truth(kind: str, seed: int) -> NDArray[Any]:
    output = _output(kind, seed)
    return output > 0.7 if kind in ("probability", "two_class") else output


def _metrics(kind: str, seed: int) -> list[tuple[Metric, NDArray[Any]]]:
    """Both metrics of a kind, each with what it is to be compared with."""
    task = TASKS[kind]
    return [(metric_for(task), _truth(kind, seed)), (agreement_for(task), _output(kind, seed))]


@kinds
def test_the_truth_itself_is_perfect(kind: str) -> None:
    metric = metric_for(TASKS[kind])
    truth = _truth(kind, 0)
    value = metric.value(metric.measure(truth, truth))
    if kind == "probability":  # a mask has no crest: suppression takes some pixels, the border more
        assert 80 < value <= 100
    else:
        assert value == (100 if metric.higher_is_better else 0)


@kinds
def test_another_output_is_worse(kind: str) -> None:
    for metric, truth in _metrics(kind, 0):
        own, other = (metric.measure(_output(kind, seed), truth) for seed in (0, 1))
        better, worse = float(metric.value(own)), float(metric.value(other))
        assert better > worse if metric.higher_is_better else better < worse


@kinds
def test_a_student_agrees_with_itself_entirely(kind: str) -> None:
    metric = agreement_for(TASKS[kind])
    own = np.array([metric.measure(_output(kind, seed), _output(kind, seed)) for seed in range(3)])
    found = disagreement(metric, own, resamples=50)
    np.testing.assert_allclose([found.value, found.low, found.high], 0, atol=1e-12)
    other = np.array([metric.measure(_output(kind, i + 9), _output(kind, i)) for i in range(3)])
    assert disagreement(metric, other, resamples=50).low > 0.05


@kinds
def test_statistics_have_the_stated_size_and_values_any_leading_axes(kind: str) -> None:
    for metric, truth in _metrics(kind, 0):
        each = [metric.measure(_output(kind, i + 1), truth) for i in range(6)]
        assert all(s.shape == (metric.size,) and s.dtype == np.float64 for s in each)
        grid = np.array(each).reshape(2, 3, -1)
        values = metric.value(grid)
        assert values.shape == (2, 3)
        np.testing.assert_allclose(values.ravel(), [metric.value(s) for s in each])


@kinds
def test_where_nothing_is_valid_there_is_no_value(kind: str) -> None:
    metric = metric_for(TASKS[kind])
    output = _output(kind, 0)
    invalid = {"normals": 0, "scalar": np.nan}.get(kind, 255)
    truth = np.full(
        output.shape, invalid, np.float32 if kind in ("normals", "scalar") else np.uint8
    )
    sums = metric.measure(output, truth)
    assert np.isnan(metric.value(sums))
    valid = metric.measure(output, _truth(kind, 1))
    assert metric.value(sums + valid) == metric.value(valid)


@kinds
def test_the_order_of_the_images_does_not_matter(kind: str) -> None:
    for metric, truth in _metrics(kind, 0):
        each = np.array([metric.measure(_output(kind, i + 1), truth) for i in range(4)])
        forth, back = metric.value(each.sum(0)), metric.value(each[::-1].sum(0))
        assert forth == pytest.approx(float(back))


@kinds
def test_another_size_is_refused(kind: str) -> None:
    for metric, truth in _metrics(kind, 0):
        with pytest.raises(OptionError, match="differ in size"):
            metric.measure(_output(kind, 0), truth[1:])


def test_every_kind_of_task_has_its_metrics() -> None:
    assert METRICS.keys() == AGREEMENTS.keys() == KINDS.keys()


def test_metrics_need_no_more_than_sakedge_itself_does() -> None:
    extras = {"scipy", "matplotlib", "jinja2", "skimage", "sklearn"}
    code = f"import sys, sakedge.measuring.intervals; sys.exit(bool({extras} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
