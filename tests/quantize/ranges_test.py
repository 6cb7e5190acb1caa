"""How the range of a layer's input is chosen, and what uint8 makes of it."""

from __future__ import annotations

import numpy as np
import pytest

from sakedge.quantizing.ranges import LEVELS, Scaling, entropy, minmax, percentile

RNG = np.random.default_rng(0)
BULK = RNG.normal(0, 1, (2000, 50)).astype(np.float32)
ONES = np.ones(len(BULK))


def whole(values: np.ndarray) -> tuple[float, float]:
    return float(values.min()), float(values.max())


@pytest.mark.parametrize(
    "bounds", [(-3.0, 5.0), (0.5, 2.0), (-4.0, -1.0), (0.0, 0.0), (-1e-9, 3e4)]
)
def test_zero_is_held_exactly_and_the_whole_range_to_half_a_step(
    bounds: tuple[float, float],
) -> None:
    scaling = Scaling.over(*bounds)
    low, high = min(bounds[0], 0), max(bounds[1], 0)
    values = np.linspace(low, high, 1001, dtype=np.float32)
    assert scaling.rounded(np.zeros(1, np.float32))[0] == 0
    # The zero point is rounded too, which moves the ends by half a step.
    assert np.abs(scaling.rounded(values) - values).max() <= scaling.scale * 1.001
    assert scaling.scale * LEVELS >= (high - low) * (1 - 1e-6)


def test_minmax_holds_everything() -> None:
    assert minmax(BULK, ONES, (-9.0, 8.0)) == (-9.0, 8.0)


def test_percentile_leaves_out_what_is_rarer_and_nothing_else() -> None:
    values = BULK.copy()
    values[0, :4] = 60  # 4 of 100 000
    low, high = percentile(values, ONES, whole(values))
    assert high < 6
    assert low == pytest.approx(BULK.min(), abs=0.6)
    values[: len(values) // 2, 0] = 60  # one in a hundred
    assert percentile(values, ONES, whole(values))[1] == pytest.approx(60, abs=0.1)


def test_a_token_that_stands_for_many_counts_as_many() -> None:
    values = BULK[:500].copy()
    values[0, :2] = 60
    rare, common = np.ones(500), np.ones(500)
    common[0] = 1000
    assert percentile(values, rare, whole(values))[1] == pytest.approx(60, abs=0.1)
    few = np.full(500, 1000.0)
    few[0] = 1
    assert percentile(values, few, whole(values))[1] < 6
    assert percentile(values, common, whole(values))[1] == pytest.approx(60, abs=0.1)


def test_entropy_gives_up_outliers_for_the_bulk() -> None:
    values = BULK.copy()
    assert entropy(values, ONES, whole(values))[1] > 0.5 * values.max()
    values[0, :4] = 60
    low, high = entropy(values, ONES, whole(values))
    assert 2.5 < high < 30
    assert low == pytest.approx(max(whole(values)[0], -high))
