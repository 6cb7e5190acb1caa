"""One-to-one matching against exact assignment."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching
from scipy.spatial.distance import cdist

from sakedge.measuring.metrics.matching import matched


def _distances(
    found: NDArray[np.intp], truth: NDArray[np.intp], size: tuple[int, int]
) -> NDArray[np.float64]:
    points = (np.stack(np.unravel_index(pixels, size), 1) for pixels in (found, truth))
    return cdist(*points)


def _assigned(distances: NDArray[np.float64], reach: float) -> int:
    """Pairs of the official assignment: distances, and 100 times the reach for what is left over.

    A pair saves two left-overs, so those within reach have a cost below zero and all others none.
    """
    costs = np.where(distances <= reach + 1e-9, distances - 2 * 100 * reach, 0)
    return int((costs[linear_sum_assignment(costs)] < 0).sum())


def _random_pixels(seed: int, size: tuple[int, int]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    random = np.random.default_rng(seed)
    shares = random.uniform(0.02, 0.6, 2)
    found, truth = (np.flatnonzero(random.random(size) < share) for share in shares)
    return random.permutation(found), truth


@pytest.mark.parametrize("seed", range(40))
def test_every_prefix_has_as_many_pairs_as_the_exact_assignment(seed: int) -> None:
    size = (9, 13)
    found, truth = _random_pixels(seed, size)
    reach = (1, 1.5, 2, math.hypot(2, 1), 3.7)[seed % 5]
    distances = _distances(found, truth, size)
    pairs = matched(found, truth, size, reach).cumsum()
    expected = [_assigned(distances[: i + 1], reach) for i in range(len(found))]
    assert pairs.tolist() == expected


@pytest.mark.parametrize("seed", range(3))
def test_larger_maps_have_as_many_pairs_as_another_maximum_matching(seed: int) -> None:
    size = (60, 80)
    found, truth = _random_pixels(seed, size)
    within = csr_matrix(_distances(found, truth, size) <= 2.5)
    for count in (len(found) // 3, len(found)):
        expected = (maximum_bipartite_matching(within[:count], "column") >= 0).sum()
        assert matched(found[:count], truth, size, 2.5).sum() == expected


def test_a_pixel_makes_room_for_one_that_has_no_other_partner() -> None:
    # found 1 could take true 0 or 2, found 3 only true 2, and comes later
    found, truth = np.array([1, 3]), np.array([0, 2])
    assert matched(found, truth, (1, 4), 1).tolist() == [True, True]
    assert matched(found[::-1], truth, (1, 4), 1).tolist() == [True, True]
    # three found around one true pixel: one of them is right
    assert matched(np.array([0, 1, 2]), np.array([1]), (1, 3), 1).sum() == 1


def test_a_distance_equal_to_the_reach_is_within_it_and_pixels_of_other_rows_are_not_near() -> None:
    assert matched(np.array([0]), np.array([3]), (1, 4), 3).all()
    assert not matched(np.array([0]), np.array([3]), (1, 4), 2.99).any()
    assert not matched(np.array([3]), np.array([4]), (2, 4), 1).any()  # ends of two rows
    assert matched(np.array([0]), np.array([9]), (3, 4), math.hypot(2, 1)).all()


def test_nothing_matches_nothing() -> None:
    none = np.array([], np.intp)
    assert matched(none, np.array([1]), (2, 2), 1).tolist() == []
    assert matched(np.array([1]), none, (2, 2), 1).tolist() == [False]
