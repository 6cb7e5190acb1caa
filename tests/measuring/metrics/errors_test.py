"""mErr and RMSE against cases worked out by hand and against SciPy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from sklearn.metrics import mean_squared_error

from sakedge.measuring.metrics import MeanAngle, RelativeError, RootMeanSquare, metric_for
from sakedge.tasks import TaskInfo

X, Y, Z, NONE = [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]


def test_angles_worked_out_by_hand() -> None:
    found = np.array([[X, Z, Z, Z, Z]], np.float32)
    truth = np.array([[Y, Z, [0, 0, -1], NONE, [np.nan] * 3]], np.float32)
    np.testing.assert_allclose(MeanAngle().measure(found, truth), [90 + 0 + 180, 3])


def test_angles_are_those_of_the_rotations_between_random_vectors() -> None:
    random = np.random.default_rng(0)
    truth = random.normal(size=(12, 15, 3))
    truth /= np.linalg.norm(truth, axis=-1, keepdims=True)
    axis = np.cross(truth, random.normal(size=truth.shape)).reshape(-1, 3)
    axis /= np.linalg.norm(axis, axis=-1, keepdims=True)
    angles = 10 ** random.uniform(-7, 2, size=len(axis))  # degrees; the smallest as exact as any
    turned = Rotation.from_rotvec(np.radians(angles)[:, None] * axis).apply(truth.reshape(-1, 3))
    metric = MeanAngle()
    for angle, p, g in zip(angles, turned, truth.reshape(-1, 3), strict=True):
        found = metric.value(metric.measure(p[None, None], g[None, None]))
        assert found == pytest.approx(angle, rel=1e-6)
    pooled = metric.measure(turned.reshape(truth.shape), truth)
    assert metric.value(pooled) == pytest.approx(angles.mean())


def test_a_squared_error_worked_out_by_hand() -> None:
    found = np.array([[1, 2, 3, 9, 9, 9, 9]], np.float32)
    truth = np.array([[1, 4, 4, 0, -1, np.nan, 80]], np.float32)
    assert RootMeanSquare("m", 80).measure(found, truth).tolist() == [5, 3]
    metric = RootMeanSquare("mm")
    assert metric.value(metric.measure(found, truth)) == pytest.approx(((5 + 71**2) / 4) ** 0.5)


def test_random_values_as_in_scikit_learn() -> None:
    random = np.random.default_rng(0)
    truth = random.uniform(0.1, 10, (3, 9, 11)).astype(np.float32)
    found = truth + random.normal(size=truth.shape).astype(np.float32)
    metric = RootMeanSquare()
    sums = np.sum([metric.measure(f, t) for f, t in zip(found, truth, strict=True)], 0)
    expected = mean_squared_error(truth.ravel().astype(float), found.ravel().astype(float)) ** 0.5
    assert metric.value(sums) == pytest.approx(expected)


def test_the_limit_of_80_is_one_of_metres() -> None:
    limits = {}
    for unit in ("m", "mm", None):
        metric = metric_for(TaskInfo(name="depth", kind="scalar", classes=1, unit=unit))
        assert isinstance(metric, RootMeanSquare)
        limits[metric.unit] = metric.limit
    assert limits == {"m": 80, "mm": np.inf, "": np.inf}


def test_the_relative_error_is_of_all_values() -> None:
    metric = RelativeError()
    sums = metric.measure(np.array([[3.0, 5.0]]), np.array([[3.0, 4.0]]))
    assert metric.value(sums) == pytest.approx(100 * (1 / 25) ** 0.5)
