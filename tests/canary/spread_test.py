"""Where a figure of one more image lies."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from sakedge.canary.spread import Spread, student_quantile


@pytest.mark.parametrize("degrees", [15, 31, 100])
@pytest.mark.parametrize("chance", [0.05, 1e-3, 1e-4])
def test_the_quantile_is_that_of_scipy(chance: float, degrees: int) -> None:
    expected = stats.t.ppf(1 - chance / 2, degrees)
    assert student_quantile(chance, degrees) == pytest.approx(expected, rel=1e-3)


def test_one_more_image_is_farther_away_as_often_as_it_says() -> None:
    random, outside = np.random.default_rng(0), 0
    for _ in range(4000):
        *seen, another = random.normal(0.3, 0.1, 17)
        spread = Spread.of(seen)
        outside += abs(another - spread.mean) > spread.away(0.05)
    assert 0.04 < outside / 4000 < 0.06


def test_what_was_not_measured_says_nothing() -> None:
    assert Spread.of([0.1, math.nan, 0.3]).n == 2
    assert Spread.of([math.nan]).n == 0
