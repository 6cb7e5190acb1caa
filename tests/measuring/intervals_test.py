"""The bootstrap against SciPy's, its coverage, and differences of pairs."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from sakedge.errors import OptionError
from sakedge.measuring.intervals import delta_m, estimate, gain, relative_drop
from sakedge.measuring.metrics import LabelAgreement, MeanAngle, MeanIoU

PIXELS = 1000


def _agreement(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Statistics of images in which these shares of pixels are right."""
    return np.stack([shares * PIXELS, np.full(len(shares), PIXELS)], 1)


def test_the_interval_is_that_of_scipy() -> None:
    shares = np.random.default_rng(0).beta(5, 2, 60)
    found = estimate(LabelAgreement(), _agreement(shares), resamples=20000)
    expected = stats.bootstrap(
        (100 * shares,), np.mean, n_resamples=20000, method="percentile", rng=1
    ).confidence_interval
    assert found.value == pytest.approx(100 * shares.mean())
    assert found.low == pytest.approx(expected.low, abs=0.15)
    assert found.high == pytest.approx(expected.high, abs=0.15)


def test_a_pooled_ratio_is_drawn_by_image() -> None:
    """Images of different sizes weigh what they weigh; SciPy draws the pairs."""
    random = np.random.default_rng(3)
    pixels = random.integers(100, 5000, 50).astype(float)
    right = pixels * random.uniform(0.4, 1, 50)
    found = estimate(LabelAgreement(), np.stack([right, pixels], 1), resamples=10000)
    expected = stats.bootstrap(
        (right, pixels),
        lambda r, p, axis: 100 * r.sum(axis) / p.sum(axis),
        paired=True,
        n_resamples=10000,
        method="percentile",
        rng=1,
    ).confidence_interval
    assert found.low == pytest.approx(expected.low, abs=0.25)
    assert found.high == pytest.approx(expected.high, abs=0.25)


def test_the_interval_covers_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    true = 100 * 5 / 7
    hits = 0
    for seed in range(300):
        statistics = _agreement(random.beta(5, 2, 50))
        found = estimate(LabelAgreement(), statistics, resamples=400, seed=seed)
        hits += found.low <= true <= found.high
    assert 0.91 <= hits / 300 <= 0.98


def test_a_drop_of_pairs_covers_as_often_as_it_says() -> None:
    random = np.random.default_rng(1)
    hits = 0
    for seed in range(300):
        shares = random.beta(5, 2, 50)
        worse = shares - random.normal(0.01, 0.02, 50)
        found = relative_drop(
            LabelAgreement(), _agreement(shares), _agreement(worse), resamples=400, seed=seed
        )
        hits += found.low <= 0.01 / (5 / 7) <= found.high
    assert 0.91 <= hits / 300 <= 0.98


def test_images_that_are_all_alike_leave_no_doubt() -> None:
    found = estimate(LabelAgreement(), _agreement(np.full(20, 0.75)), resamples=100)
    assert (found.value, found.low, found.high) == (75, 75, 75)


def test_a_student_is_no_worse_than_itself() -> None:
    statistics = _agreement(np.random.default_rng(0).random(20))
    drop = relative_drop(LabelAgreement(), statistics, statistics, resamples=100)
    assert (drop.value, drop.low, drop.high) == (0, 0, 0)


def test_a_drop_and_a_gain_have_the_sign_of_better_and_worse() -> None:
    high, low = _agreement(np.full(5, 0.8)), _agreement(np.full(5, 0.6))
    assert relative_drop(LabelAgreement(), high, low).value == pytest.approx(0.25)
    assert gain(LabelAgreement(), low, high).value == pytest.approx(20)
    angle = MeanAngle()  # lower is better: 0.8° is worse than 0.6°
    assert relative_drop(angle, low, high).value == pytest.approx(0.2 / 0.6)
    assert gain(angle, low, high).value == pytest.approx(-0.2)


def test_what_makes_an_image_hard_for_both_cancels_out() -> None:
    random = np.random.default_rng(0)
    shares = random.uniform(0.2, 0.9, 40)
    before, after = _agreement(shares), _agreement(shares - 0.01)
    alone = estimate(LabelAgreement(), before)
    paired = gain(LabelAgreement(), before, after)
    assert paired.high - paired.low < 1e-6 < alone.high - alone.low
    assert paired.value == pytest.approx(-1)


def test_the_same_seed_draws_the_same() -> None:
    statistics = _agreement(np.random.default_rng(0).random(30))
    first, again, other = (
        estimate(LabelAgreement(), statistics, resamples=200, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_a_wider_level_makes_a_wider_interval() -> None:
    statistics = _agreement(np.random.default_rng(0).random(30))
    narrow, wide = (estimate(LabelAgreement(), statistics, level=level) for level in (0.8, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_one_image_has_a_value_and_no_interval() -> None:
    found = estimate(LabelAgreement(), _agreement(np.array([0.5])))
    assert found.value == 50
    assert np.isnan([found.low, found.high]).all()


def test_draws_without_a_valid_pixel_say_nothing() -> None:
    metric = MeanIoU(2)
    right = metric.measure(np.array([[0, 1]]), np.array([[0, 1]]))
    found = estimate(metric, np.array([right, 0 * right, 0 * right]), resamples=200)
    assert (found.value, found.low, found.high) == (100, 100, 100)
    nothing = estimate(metric, np.zeros((3, metric.size)), resamples=50)
    assert np.isnan([nothing.value, nothing.low, nothing.high]).all()


def test_a_gain_over_nothing_is_endless_and_not_unknown() -> None:
    found = relative_drop(LabelAgreement(), _agreement(np.zeros(20)), _agreement(np.full(20, 0.5)))
    assert (found.value, found.low, found.high) == (-np.inf, -np.inf, -np.inf)


def test_pairs_must_be_of_the_same_images() -> None:
    with pytest.raises(OptionError, match="different images"):
        gain(LabelAgreement(), _agreement(np.ones(3)), _agreement(np.ones(4)))


def test_delta_m_is_the_mean_relative_gain_over_the_baseline() -> None:
    values = {"semseg": 66.0, "depth": 0.9, "sal": 1.0}
    better = {"semseg": True, "depth": False, "sal": True}
    # semseg gains 10 %, depth 25 %; the baseline says nothing of sal
    assert delta_m(values, {"semseg": 60.0, "depth": 1.2}, better) == pytest.approx(17.5)
    with pytest.raises(OptionError, match="the baseline is of other tasks"):
        delta_m(values, {"edge": 70.0}, better)
