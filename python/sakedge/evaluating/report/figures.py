"""Figures of scores: values with intervals, curves, distributions, confusion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sakedge.evaluating.evaluation import Evaluation, Run
from sakedge.evaluating.report.canvas import BLUES, FAINT, INK, canvas, colour
from sakedge.measuring.metrics import Curve
from sakedge.text import visible

_MOST_NUMBERED = 12
"""Classes up to which each cell of a confusion matrix has its number."""


def values(evaluation: Evaluation) -> str:
    """The value of each task in each run, with its interval."""
    runs, tasks = evaluation.runs, evaluation.tasks
    with canvas(2.3 * len(tasks) + 2, 0.3 * len(runs) + 1, 1, len(tasks), sharey=True) as drawn:
        for i, task in enumerate(tasks):
            axes, metric = drawn[i], runs[0].scores[task].metric
            for row, run in enumerate(runs):
                found = run.scores[task].found
                axes.plot([found.low, found.high], [row, row], color=colour(row, len(runs)), lw=3)
                axes.plot([found.value], [row], "o", color=INK, ms=4)
            axes.axvline(runs[0].scores[task].found.value, color=FAINT, lw=0.7, ls=":", zorder=0)
            axes.set_title(visible(task))
            axes.set_xlabel(f"{metric.name}, {metric.unit} {_arrow(metric.higher_is_better)}")
            axes.margins(x=0.1)
        drawn[0].set_yticks(range(len(runs)), [visible(run.name) for run in runs])
        drawn[0].set_ylim(len(runs) - 0.5, -0.5)
    return drawn.svg


def curve(found: Curve) -> str:
    """Precision, recall and F over the thresholds; the best F is marked."""
    with canvas(4.2, 2.6) as drawn:
        axes = drawn[0]
        axes.plot(found.thresholds, 100 * found.precision, color=colour(0, 3), label="precision")
        axes.plot(found.thresholds, 100 * found.recall, color=colour(1, 3), label="recall")
        axes.plot(found.thresholds, 100 * found.f, color=INK, lw=2, label="F")
        if np.isfinite(found.f).any():
            best = int(np.nanargmax(found.f))
            at, height = float(found.thresholds[best]), 100 * float(found.f[best])
            axes.plot([at], [height], "o", color=INK)
            axes.annotate(f"{height:.1f} at {at:.2f}", (at, height), (0, 7), "data",
                          textcoords="offset points", ha="center")  # fmt: skip
        axes.set(xlabel="threshold", ylabel="%", title="Over thresholds", ylim=(0, 105))
        axes.legend(loc="lower center", ncols=3, fontsize=8)
    return drawn.svg


def distribution(runs: Sequence[Run], task: str) -> str:
    """How the metric's value for single images is distributed, in the first run and the last."""
    shown = [runs[0]] if len(runs) == 1 else [runs[0], runs[-1]]
    metric = runs[0].scores[task].metric
    scores = [run.scores[task].per_image for run in shown]
    known = [each[np.isfinite(each)] for each in scores]
    pooled = np.concatenate(known)
    with canvas(4.2, 2.6) as drawn:
        axes = drawn[0]
        if pooled.size:
            bins = np.linspace(pooled.min(), max(pooled.max(), pooled.min() + 1e-9), 25).tolist()
            axes.hist(known[0], bins, color=colour(0, 3), alpha=0.6, label=visible(shown[0].name))
            for run, each in zip(shown[1:], known[1:], strict=True):
                axes.hist(each, bins, histtype="step", color=INK, label=visible(run.name))
            axes.axvline(float(np.median(known[0])), color=FAINT, ls=":", label="median")
            axes.set_ylim(top=1.4 * axes.get_ylim()[1])
            axes.legend(fontsize=7, loc="upper left")
        axes.set(xlabel=f"{metric.name} of an image, {metric.unit}", ylabel="images")
        axes.set_title("Images one by one")
    return drawn.svg


def confusion(matrix: NDArray[np.float64], names: Sequence[str]) -> str:
    """What the pixels of each true class were taken for, in per cent of the class."""
    total = matrix.sum(axis=1, keepdims=True)
    shares = 100 * np.divide(matrix, total, out=np.zeros_like(matrix), where=total > 0)
    side = max(3.0, min(8.0, 0.42 * len(names) + 1.4))
    with canvas(side + 0.6, side) as drawn:
        axes = drawn[0]
        axes.imshow(shares, cmap=BLUES, vmin=0, vmax=100)
        ticks = [visible(name) for name in names]
        axes.set_xticks(range(len(names)), ticks, rotation=50, ha="right")
        axes.set_yticks(range(len(names)), ticks)
        axes.set(xlabel="found", ylabel="true", title="Confusion, % of the true class")
        if len(names) <= _MOST_NUMBERED:
            for (row, column), share in np.ndenumerate(shares):
                if share >= 0.5:
                    ink = "white" if share > 60 else INK
                    axes.text(column, row, f"{share:.0f}", ha="center", va="center", color=ink)
    return drawn.svg


def class_bars(iou: NDArray[np.float64], names: Sequence[str]) -> str:
    """IoU of each class."""
    order = range(len(names))
    with canvas(4.2, max(1.6, 0.24 * len(names) + 0.8)) as drawn:
        axes = drawn[0]
        axes.barh(order, np.nan_to_num(iou), color=colour(0, 3), height=0.7)
        for i in order:
            text = f"{iou[i]:.1f}" if np.isfinite(iou[i]) else "not there"
            axes.text(np.nan_to_num(iou[i]) + 1, i, text, va="center", fontsize=8)
        axes.set_yticks(order, [visible(name) for name in names])
        axes.set(xlim=(0, 112), ylim=(len(names) - 0.4, -0.6), xlabel="%", title="IoU of a class")
    return drawn.svg


def _arrow(higher_is_better: bool) -> str:
    return "↑" if higher_is_better else "↓"
