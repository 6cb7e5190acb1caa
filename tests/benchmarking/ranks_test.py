"""Intervals by ranks: exact where nothing differs, whatever the distribution."""

from __future__ import annotations

from itertools import combinations, permutations
from math import comb

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sakedge.benchmarking import ranks
from sakedge.benchmarking.latency import Latency
from sakedge.benchmarking.ranks import Interval, ratio, slope
from sakedge.benchmarking.widening import Side, leaves_out_one, ratios

FEW = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
times = st.lists(st.floats(1e-3, 1e6), min_size=5, max_size=12)


def test_percentiles_are_measured_values() -> None:
    found = Latency.of([float(i) for i in range(1, 1001)])
    assert (found.samples, found.average, found.median) == (1000, 500.5, 500)
    assert (found.p90, found.p95, found.p99, found.p99_9) == (900, 950, 990, 999)
    assert (found.min, found.max) == (1, 1000)
    assert set(Latency.of([7.0]).model_dump().values()) == {1, 7.0}


@FEW
@given(times)
def test_percentiles_are_in_order(values: list[float]) -> None:
    found = Latency.of(values)
    ordered = [found.min, found.median, found.p90, found.p95, found.p99, found.p99_9, found.max]
    assert ordered == sorted(ordered)
    assert found.min <= found.average <= found.max


@pytest.mark.parametrize(("first", "second"), [(1, 1), (3, 4), (5, 5), (6, 2)])
def test_rank_sums_are_all_orders_counted(first: int, second: int) -> None:
    counted = [0] * (first * second + 1)
    for places in combinations(range(first + second), first):
        behind = sum(place - i for i, place in enumerate(places))
        counted[behind] += 1
    found = ranks._rank_sums(first, second)
    assert found == counted and sum(found) == comb(first + second, first)


@FEW
@given(times, times)
def test_the_interval_holds_the_ratio_and_turns_with_it(a: list[float], b: list[float]) -> None:
    there, back = ratio(a, b, 0.99), ratio(b, a, 0.99)
    assert there is not None and back is not None
    assert there.low <= there.value <= there.high
    turned = (1 / back.high, 1 / back.value, 1 / back.low)
    assert (there.low, there.value, there.high) == pytest.approx(turned, rel=1e-9)


@FEW
@given(times, st.floats(0.1, 10))
def test_a_factor_is_found(values: list[float], factor: float) -> None:
    found = ratio(values, [factor * each for each in values], 0.99)
    assert found is not None
    assert found.value == pytest.approx(factor, rel=1e-9)


def test_of_all_orders_of_ten_values_two_are_called_a_difference() -> None:
    """The rate of false alarms, counted out: two of 252 for five rounds each, less than 1 %."""
    values = [1.0, 1.1, 1.3, 1.7, 2.0, 2.2, 3.1, 4.0, 4.5, 9.0]
    alarms = 0
    for chosen in combinations(range(10), 5):
        first = [values[i] for i in chosen]
        second = [values[i] for i in range(10) if i not in chosen]
        found = ratio(first, second, 0.99)
        assert found is not None
        alarms += leaves_out_one(found)
    assert alarms == 2


@pytest.mark.parametrize(("level", "fewest"), [(0.95, 4), (0.99, 5)])
def test_too_few_rounds_have_no_interval(level: float, fewest: int) -> None:
    values = [1.0, 2.0, 3.0, 4.0, 5.0]
    assert ratio(values[:fewest], values[:fewest], level) is not None
    assert ratio(values[: fewest - 1], values[: fewest - 1], level) is None


def test_many_values_go_by_the_normal_distribution() -> None:
    random = np.random.default_rng(1)
    a, b = np.exp(random.standard_normal((2, 400)))
    found = ratio(list(a), list(1.5 * b), 0.99)
    assert found is not None and found.low < 1.5 < found.high and found.low > 1


def test_a_trend_is_found_and_noise_is_none() -> None:
    random = np.random.default_rng(2)
    at = np.arange(60.0)
    noise = random.standard_normal(60)
    flat, rising = slope(at, noise, 0.99), slope(at, noise + 0.1 * at, 0.99)
    assert flat is not None and flat.low < 0 < flat.high
    assert rising is not None and 0 < rising.low < 0.1 < rising.high


def test_trends_of_neighbours_that_resemble_each_other_are_rarely_false() -> None:
    random = np.random.default_rng(3)
    alarms = 0
    for _ in range(300):
        steps = random.standard_normal(60)
        for i in range(1, 60):
            steps[i] += 0.5 * steps[i - 1]
        found = slope(np.arange(60.0), steps, 0.99)
        assert found is not None
        alarms += not found.low <= 0 <= found.high
    assert alarms <= 9  # 3 are expected at the level


def test_a_slope_of_few_values_or_of_one_value_is_none_or_zero() -> None:
    assert slope(range(7), [1.0] * 7, 0.99) is None
    assert slope(range(8), [1.0] * 8, 0.99) == Interval(0.0, 0.0, 0.0)


@FEW
@given(times, times, st.floats(0, 0.95), st.floats(0, 0.95))
def test_what_others_cost_widens_an_interval_and_never_moves_it(
    a: list[float], b: list[float], first: float, second: float
) -> None:
    before, after = Side(a, [first] * len(a)), Side(b, [second] * len(b))
    found = ratios(before, after, 0.99)
    assert found is not None
    plain, widened = found
    assert widened.value == plain.value
    assert widened.low <= plain.low and plain.high <= widened.high
    # Whatever the truth was between what was measured and all that others can have cost.
    truth = ratio([each * (1 - first) for each in a], b, 0.99)
    assert truth is not None
    assert widened.low * 0.999 <= truth.value <= widened.high * 1.001


def test_orders_do_not_matter() -> None:
    values = [3.0, 1.0, 2.0, 5.0, 4.0]
    found = {ratio(list(order), [2.0] * 5, 0.99) for order in list(permutations(values))[:20]}
    assert len(found) == 1
