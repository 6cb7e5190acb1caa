"""maxF against a case worked out by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import fbeta_score

from sakedge.measuring.metrics import RegionF


def test_a_case_worked_out_by_hand() -> None:
    metric = RegionF()
    found = np.array([[0.9, 0.6, 0.3, 0.99]], np.float32)
    sums = metric.measure(found, np.array([[1, 0, 1, 255]], np.uint8))
    curve = metric.curve(sums)
    at = [int(np.argmin(np.abs(curve.thresholds - t))) for t in (0.3, 0.6, 0.9, 0.95)]
    np.testing.assert_allclose(curve.precision[at], [2 / 3, 1 / 2, 1, np.nan])
    np.testing.assert_allclose(curve.recall[at], [1, 1 / 2, 1 / 2, 0])
    np.testing.assert_allclose(curve.f[at], [1.3 * 2 / 3 / 1.2, 0.5, 1.3 * 0.5 / 0.8, 0])
    assert metric.value(sums) == pytest.approx(81.25)


def test_random_maps_as_in_scikit_learn() -> None:
    random = np.random.default_rng(0)
    truth = random.random((5, 16, 20)) < 0.3
    found = np.clip(0.4 * truth + 0.6 * random.random(truth.shape), 0, 1).astype(np.float32)
    metric = RegionF()
    sums = np.sum([metric.measure(f, t) for f, t in zip(found, truth, strict=True)], 0)
    thresholds = [np.float32(0.05 * (i + 1)) for i in range(19)]
    expected = [
        fbeta_score(truth.ravel(), (found >= t).ravel(), beta=0.3**0.5, zero_division=0)
        for t in thresholds
    ]
    np.testing.assert_allclose(metric.curve(sums).f, expected, atol=1e-12)
    assert metric.value(sums) == pytest.approx(100 * max(expected))


def test_images_with_nothing_to_find_count_what_was_found_there() -> None:
    metric = RegionF()
    found = np.ones((1, 4), np.float32)
    nothing = metric.measure(found, np.zeros((1, 4), np.uint8))
    everything = metric.measure(found, np.ones((1, 4), np.uint8))
    assert np.isnan(metric.value(nothing))
    assert metric.value(nothing + everything) == pytest.approx(100 * 1.3 * 0.5 / (0.3 * 0.5 + 1))
