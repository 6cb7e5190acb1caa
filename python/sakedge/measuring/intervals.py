"""Intervals of metrics and of their differences: the bootstrap over images.

Images are drawn with replacement, and the metric is made of what was drawn. As a metric needs but
sums over images, a draw is how often each image came, and its sums are one matrix product. Two
students that saw the same images are compared on the same draws (*paired*): what makes an image
hard for both cancels out, and the difference is known far better than either value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import OptionError
from sakedge.measuring.metrics import Agreement, Metric

_Array = NDArray[np.float64]

_MOST = 1 << 22
"""Numbers that are held at once."""


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval.

    Attributes:
        value: Of all images; NaN if no pixel was valid.
        low: Lower end of the interval; NaN for fewer than two images.
        high: Upper end.
    """

    value: float
    low: float
    high: float


def estimate(
    metric: Metric,
    statistics: _Array,
    *,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """A metric with its percentile interval.

    Args:
        metric: Which.
        statistics: Of each image what it measured, [N, S].
        resamples: How many draws.
        level: The share of the draws that lies within the interval.
        seed: Of the draws: one seed, one interval.
    """
    return _bootstrap(metric.value, [statistics], resamples, level, seed)


def relative_drop(
    metric: Metric,
    reference: _Array,
    candidate: _Array,
    *,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """How much worse a candidate is, as a share of the reference's value; above 0 is worse.

    Args:
        metric: Which, on both.
        reference: Its statistics [N, S].
        candidate: Statistics of the same images in the same order.
        resamples: As of `estimate`.
        level: As of `estimate`.
        seed: As of `estimate`.

    Returns:
        The drop, e.g. 0.01 for 1 %. It is NaN or infinite where the reference's value is 0.

    Raises:
        OptionError: The statistics are of different numbers of images.
    """

    def drop(before: _Array, after: _Array) -> _Array:
        was = metric.value(before)
        return -_better(metric, was, metric.value(after)) / was

    return _bootstrap(drop, [reference, candidate], resamples, level, seed)


def gain(
    metric: Metric,
    without: _Array,
    with_: _Array,
    *,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """How much better something makes a metric, in its unit; above 0 is better.

    Args:
        metric: Which, on both.
        without: Statistics [N, S] without it.
        with_: Statistics with it, of the same images in the same order.
        resamples: As of `estimate`.
        level: As of `estimate`.
        seed: As of `estimate`.

    Raises:
        OptionError: The statistics are of different numbers of images.
    """

    def difference(before: _Array, after: _Array) -> _Array:
        return _better(metric, metric.value(before), metric.value(after))

    return _bootstrap(difference, [without, with_], resamples, level, seed)


def disagreement(
    metric: Agreement,
    statistics: _Array,
    *,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """How far two students are from agreeing, as a share of the whole; 0 where they agree.

    Without labels it takes the place of `relative_drop`: 0.01 is a hundredth of the labels or of F,
    0.9° between normals, or a hundredth of a scalar.
    """
    return _bootstrap(lambda sums: distance(metric, sums), [statistics], resamples, level, seed)


def distance(metric: Agreement, sums: _Array) -> _Array:
    """How far outputs are from each other, as a share of the whole: statistics [..., S] → [...]."""
    share = metric.value(sums) / metric.whole
    return 1 - share if metric.higher_is_better else share


def delta_m(
    values: Mapping[str, float],
    baseline: Mapping[str, float],
    higher_is_better: Mapping[str, bool],
) -> float:
    """Δm: the mean over the baseline's tasks of the relative gain over it, in per cent.

    Raises:
        OptionError: There is no value for a task of the baseline, or the baseline is empty.
    """
    if not baseline or not baseline.keys() <= values.keys():
        raise OptionError(
            "the baseline is of other tasks",
            expected=f"some of {', '.join(values)}",
            got=", ".join(baseline) or "none",
        )
    gains = [
        (values[task] - of) / of * (1 if higher_is_better[task] else -1)
        for task, of in baseline.items()
    ]
    return 100 * float(np.mean(gains))


def _better(metric: Metric, before: _Array, after: _Array) -> _Array:
    return after - before if metric.higher_is_better else before - after


def _bootstrap(
    figure: Callable[..., _Array],
    statistics: Sequence[_Array],
    resamples: int,
    level: float,
    seed: int,
) -> Estimate:
    """A figure of the statistics' sums, and its interval.

    Args:
        figure: Takes the sums [..., S] of each of the statistics and gives [...].
        statistics: Each [N, S], of the same N images.
        resamples: As of `estimate`.
        level: As of `estimate`.
        seed: As of `estimate`.
    """
    images, size = statistics[0].shape
    if any(len(each) != images for each in statistics):
        raise OptionError(
            "statistics of different images are compared",
            expected=f"{images} images each",
            got=", ".join(str(len(each)) for each in statistics),
        )
    random = np.random.default_rng(seed)
    at_once = max(1, _MOST // max(images, size))
    with np.errstate(divide="ignore", invalid="ignore"):  # of a reference that is 0
        value = float(figure(*(each.sum(0) for each in statistics)))
        if images < 2:
            return Estimate(value, np.nan, np.nan)
        drawn: list[_Array] = []
        for done in range(0, resamples, at_once):
            times = _draw(random, min(at_once, resamples - done), images)
            drawn.append(figure(*(times @ each for each in statistics)))
    low, high = _ends(np.concatenate(drawn), level)
    return Estimate(value, low, high)


def _draw(random: np.random.Generator, resamples: int, images: int) -> _Array:
    """How often each image comes in each draw, [resamples, images]."""
    drawn = random.integers(images, size=(resamples, images))
    cells = drawn + images * np.arange(resamples)[:, None]
    times = np.bincount(cells.ravel(), minlength=cells.size)
    return times.reshape(cells.shape).astype(np.float64)


def _ends(drawn: _Array, level: float) -> tuple[float, float]:
    """The middle `level` of the draws; those in which no pixel was valid say nothing."""
    said = drawn[~np.isnan(drawn)]
    if not said.size:
        return np.nan, np.nan
    ends = [(1 - level) / 2, (1 + level) / 2]
    if np.isfinite(said).all():
        low, high = np.quantile(said, ends)
    else:  # of a reference that is 0: between infinite draws there is nothing to interpolate
        low, high = np.quantile(said, ends, method="inverted_cdf")
    return float(low), float(high)
