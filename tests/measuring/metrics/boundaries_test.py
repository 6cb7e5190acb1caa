"""Suppression, thinning and odsF against independent implementations and simple pictures."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import correlate1d, gaussian_filter, map_coordinates
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from skimage.morphology import thin

from sakedge.measuring.metrics import BoundaryF
from sakedge.measuring.metrics.boundaries import THRESHOLDS
from sakedge.measuring.metrics.suppression import suppressed
from sakedge.measuring.metrics.thinning import thinned


def _line(size: int, degrees: float, shift: float = 0) -> NDArray[np.float32]:
    """Distances from a line through the middle, moved across itself."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    angle = np.radians(degrees)
    return np.abs(x * np.sin(angle) - y * np.cos(angle) - shift).astype(np.float32)


def _ridge(distance: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(0.9 * np.exp(-(distance**2) / 8), np.float32)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8, 1])
def test_thinning_is_that_of_scikit_image(share: float) -> None:
    random = np.random.default_rng(int(share * 10))
    for size in ((1, 1), (1, 9), (17, 23), (40, 31)):
        mask = random.random(size) < share
        assert thinned(mask).tolist() == np.flatnonzero(thin(mask)).tolist()


def _suppressed_pixel_by_pixel(boundary: NDArray[np.float64]) -> NDArray[np.float64]:
    smooth = boundary
    for axis in (0, 1):
        smooth = correlate1d(smooth, np.array([1, 2, 3, 4, 5, 4, 3, 2, 1]) / 25, axis)
    twice, once = [0.25, 0, -0.5, 0, 0.25], [-0.5, 0, 0.5]
    xx, yy = correlate1d(smooth, twice, 1), correlate1d(smooth, twice, 0)
    xy = correlate1d(correlate1d(smooth, once, 0), once, 1)
    kept = np.zeros_like(boundary)
    for y, x in np.ndindex(boundary.shape):
        angle = np.arctan(yy[y, x] * np.sign(-xy[y, x]) / (xx[y, x] + 1e-5)) % np.pi
        across = np.array([np.sin(angle), np.cos(angle)])
        beside = [
            map_coordinates(boundary, np.array([y, x])[:, None] + side * across[:, None],
                            order=1, mode="nearest").item()
            for side in (-1, 1)
        ]  # fmt: skip
        if boundary[y, x] * 1.01 >= max(beside):
            border = min(y, x, boundary.shape[0] - 1 - y, boundary.shape[1] - 1 - x)
            kept[y, x] = boundary[y, x] * min(1, border / 5)
    return kept


def test_suppression_is_what_it_says_of_each_pixel() -> None:
    noise = np.random.default_rng(0).random((30, 36))
    boundary = gaussian_filter(noise, 1.5)
    expected = _suppressed_pixel_by_pixel(boundary)
    found = suppressed(boundary.astype(np.float32), 0.0)
    differs = np.abs(found - expected) > 1e-5
    assert differs.sum() <= 2  # float32 beside float64: a pixel on the edge of being kept
    assert (expected > 0).mean() < 0.5


@pytest.mark.parametrize("degrees", [0, 20, 45, 70, 90, 120, 160])
def test_of_a_ridge_its_crest_remains(degrees: float) -> None:
    distance = _line(61, degrees)
    y, x = np.nonzero(suppressed(_ridge(distance), 0.01) > 0)
    inside = (np.minimum(y, x) >= 8) & (np.maximum(y, x) < 53)
    assert distance[y[inside], x[inside]].max() < 1.5
    assert inside.sum() >= 45


def test_a_boundary_within_the_tolerance_is_right_and_one_beyond_it_wrong() -> None:
    metric = BoundaryF(tolerance=0.03)  # 2.7 of 90.5 pixels
    truth = _line(64, 90) < 0.7
    near = metric.value(metric.measure(_ridge(_line(64, 90, 2)), truth))
    far = metric.value(metric.measure(_ridge(_line(64, 90, 5)), truth))
    assert near > 94  # but for the ends, which fade at the border
    assert far == 0


def test_a_boundary_found_twice_is_right_once() -> None:
    """A pixel without a partner of its own is wrong, however near a true one lies."""
    metric = BoundaryF(tolerance=0.08)  # 7.2 pixels
    truth = _line(64, 90) < 0.7
    one = np.maximum(_ridge(_line(64, 90, 5)), 0)
    both = np.maximum(one, _ridge(_line(64, 90, -5)))
    curves = [metric.curve(metric.measure(found, truth)) for found in (one, both)]
    assert curves[0].precision[49] == 1
    assert curves[1].precision[49] == pytest.approx(0.5, abs=0.05)
    assert curves[1].recall[49] >= curves[0].recall[49]


def _scene(seed: int, size: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Outlines of smooth shapes, and an imperfect map of them."""
    random = np.random.default_rng(seed)
    shapes = gaussian_filter(random.normal(size=size), 5) > 0
    truth = shapes != np.roll(shapes, 1, 1)
    noise = 0.3 * gaussian_filter(random.normal(size=size), 2)
    found = 3 * gaussian_filter(truth.astype(float), 1.5) + noise
    return np.clip(found, 0, 1).astype(np.float32), truth


def _by_assignment(
    ridge: NDArray[np.float32], truth: NDArray[np.bool_], reach: float, anew: bool
) -> list[tuple[int, int]]:
    """Matched and found pixels at each threshold, each assigned exactly on its own."""
    there, counts = np.argwhere(thin(truth)), []
    once = thin(ridge >= THRESHOLDS[0])
    for threshold in THRESHOLDS:
        mask = thin(ridge >= threshold) if anew else once & (ridge >= threshold)
        distances = cdist(np.argwhere(mask), there)
        costs = np.where(distances <= reach, distances - 200 * reach, 0)
        right = costs[linear_sum_assignment(costs)] < 0
        counts.append((int(right.sum()), int(mask.sum())))
    return counts


@pytest.mark.parametrize("seed", range(3))
def test_ods_f_of_small_maps_is_that_of_exact_assignment_at_every_threshold(seed: int) -> None:
    found, truth = _scene(seed, (40, 44))
    metric = BoundaryF(tolerance=0.04)
    sums = metric.measure(found, truth)
    reach = 0.04 * float(np.hypot(40, 44))
    ridge = suppressed(found, float(THRESHOLDS[0]))
    counts = np.array(_by_assignment(ridge, truth, reach, anew=False))
    np.testing.assert_array_equal(sums, [*counts[:, 0], *counts[:, 1], thin(truth).sum()])
    best = max(2 * right / (shown + thin(truth).sum()) for right, shown in counts)
    assert metric.value(sums) == pytest.approx(100 * best)


def test_thinning_at_each_threshold_anew_hardly_changes_ods_f() -> None:
    metric = BoundaryF(tolerance=0.03)
    ours, anew = np.zeros(metric.size), np.zeros(metric.size)
    for seed in range(6):
        found, truth = _scene(seed, (48, 52))
        ours += metric.measure(found, truth)
        ridge = suppressed(found, float(THRESHOLDS[0]))
        counts = np.array(_by_assignment(ridge, truth, 0.03 * float(np.hypot(48, 52)), anew=True))
        anew += [*counts[:, 0], *counts[:, 1], thin(truth).sum()]
    assert metric.value(ours) == pytest.approx(float(metric.value(anew)), abs=0.5)


def test_ignored_pixels_are_neither_found_nor_missed() -> None:
    found, truth = _scene(0, (48, 52))
    metric = BoundaryF(tolerance=0.03)
    half = truth.astype(np.uint8)
    half[:, 26:] = 255
    sums = metric.measure(found, half)
    assert 0 < sums[-1] < metric.measure(found, truth)[-1]
    everywhere = np.full(truth.shape, 255, np.uint8)
    assert not metric.measure(found, everywhere).any()
