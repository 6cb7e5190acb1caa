"""Figures of adapters: which one each task lives on, how it weighs them, who adds what to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import Colormap
from numpy.typing import NDArray

from sakedge.evaluating.ablation import Ablation, Gains
from sakedge.evaluating.evaluation import Evaluation
from sakedge.evaluating.report.canvas import BLUES, INK, SIGNED, Canvas, canvas
from sakedge.measuring.intervals import Estimate
from sakedge.text import visible

_PALE = 0.3


def lives_on(evaluation: Evaluation, ablation: Ablation) -> str:
    """Which teacher each task lives on: what is weighed, what is missed, what helps alone."""
    tasks, experts = evaluation.tasks, evaluation.student["experts"]
    adapters = experts[1:]
    whole = ablation.subsets[-1]
    weights = np.array([whole.routing[task].mean(axis=0) for task in tasks])
    width = 1.0 * (len(experts) + 2 * len(adapters)) + 2.6
    with canvas(width, 0.42 * len(tasks) + 1.6, 1, 3, sharey=True) as drawn:
        _grid(drawn, 0, 100 * weights, experts, "weight in the routers, %", BLUES)
        for i, (gains, title) in enumerate(
            ((ablation.worth, "lost without it, %"), (ablation.instead, "gained by it alone, %")), 1
        ):
            shares, sure = _shares(gains, tasks, adapters, whole.values)
            _grid(drawn, i, shares, adapters, title, SIGNED, sure)
        drawn[0].set_yticks(range(len(tasks)), [visible(task) for task in tasks])
    return drawn.svg


def added(ablation: Ablation, task: str, adapters: Sequence[str]) -> str:
    """What the adapter of a row adds to that of a column, in the metric's unit."""
    found = np.full((len(adapters), len(adapters)), np.nan)
    sure = np.zeros(found.shape, np.bool_)
    for a, row in enumerate(adapters):
        for b, column in enumerate(adapters):
            names = (row,) if a == b else (row, column)
            each = (ablation.instead if a == b else ablation.added)[task].get(names)
            if each is not None:
                found[a, b], sure[a, b] = each.value, is_sure(each)
    metric = ablation.metrics[task]
    with canvas(0.85 * len(adapters) + 1.8, 0.45 * len(adapters) + 1.6) as drawn:
        _grid(drawn, 0, found, adapters, f"{task}: {metric.name}, {metric.unit}", SIGNED, sure, 3)
        drawn[0].set_yticks(range(len(adapters)), [visible(name) for name in adapters])
        drawn[0].set(ylabel="adds", xlabel="to (itself: to the stem)")
    return drawn.svg


def routing(
    weights: Mapping[str, NDArray[np.float64]], levels: Sequence[int], experts: Sequence[str]
) -> str:
    """Mean weight of each expert at each level, by task."""
    tasks = list(weights)
    with canvas(1.9 * len(tasks) + 1, 0.3 * len(levels) + 1.7, 1, len(tasks), sharey=True) as drawn:
        for i, task in enumerate(tasks):
            _grid(drawn, i, 100 * weights[task], experts, task, BLUES, by_row=False)
        drawn[0].set_yticks(range(len(levels)), [str(level) for level in levels])
        drawn[0].set_ylabel("level")
    return drawn.svg


def is_sure(found: Estimate) -> bool:
    """Whether an interval says on which side of 0 a gain lies."""
    return found.low > 0 or found.high < 0


def _shares(
    gains: Gains,
    tasks: Sequence[str],
    adapters: Sequence[str],
    whole: Mapping[str, Estimate],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Gains in per cent of the value with all adapters, and which of them are sure."""
    found = np.full((len(tasks), len(adapters)), np.nan)
    sure = np.zeros(found.shape, np.bool_)
    for row, task in enumerate(tasks):
        for column, name in enumerate(adapters):
            each = gains[task].get((name,))
            if each is not None:
                found[row, column] = 100 * each.value / whole[task].value
                sure[row, column] = is_sure(each)
    return found, sure


def _grid(
    drawn: Canvas,
    index: int,
    found: NDArray[np.float64],
    columns: Sequence[str],
    title: str,
    colours: Colormap,
    sure: NDArray[np.bool_] | None = None,
    digits: int = 2,
    *,
    by_row: bool = True,
) -> None:
    """A table in colours, each row to its own scale; what is not sure is pale and not bold."""
    axes, shown = drawn[index], np.nan_to_num(found)
    if sure is not None:
        shown = np.where(sure, shown, _PALE * shown)
    scale = np.abs(np.nan_to_num(found)).max(axis=1 if by_row else None, keepdims=True)
    low = -1.0 if colours is SIGNED else 0.0
    axes.imshow(
        shown / np.where(scale > 0, scale, 1), cmap=colours, vmin=low, vmax=1, aspect="auto"
    )
    for (row, column), value in np.ndenumerate(found):
        if np.isfinite(value):
            strong = abs(shown[row, column]) > 0.65 * scale[row if by_row else 0, 0]
            bold = sure is None or sure[row, column]
            text = f"{value:.{digits}g}" if abs(value) < 100 else f"{value:.0f}"
            axes.text(column, row, text, ha="center", va="center", fontsize=8,
                      color="white" if strong else INK,
                      weight="bold" if bold else "normal")  # fmt: skip
    axes.set_xticks(
        range(len(columns)), [visible(name) for name in columns], rotation=35, ha="right"
    )
    axes.set_title(visible(title), fontsize=9)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)
