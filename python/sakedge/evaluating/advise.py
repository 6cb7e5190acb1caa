"""Finds the smallest set of adapters, and its precision, that is good and fast enough here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from math import comb
from typing import Any

from sakedge.arguments import by_name, callback, in_range, pick, several
from sakedge.errors import BackendError, DatasetError, UnknownTaskError
from sakedge.evaluating.advice import Advice, Configuration, Limits
from sakedge.evaluating.trials import Trials
from sakedge.files.paths import file_path
from sakedge.format import StudentFile
from sakedge.measuring.data import Dataset, as_dataset, check, evenly
from sakedge.measuring.intervals import relative_drop
from sakedge.measuring.running import metrics_for
from sakedge.measuring.statistics import Measurement
from sakedge.progress import Progress
from sakedge.runtime.model import silent

USUAL = ("fp32", "bf16", "int8")
"""Precisions that are tried if none are named; those that cannot run here are left out."""


def advise(
    student: str | os.PathLike[str],
    data: str | os.PathLike[str] | Dataset,
    *,
    budget_ms: float,
    max_drop: float = 0.01,
    task_drops: Mapping[str, float] | None = None,
    kind: str = "auto",
    precisions: Sequence[str] | None = None,
    tasks: Sequence[str] | None = None,
    limit: int | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Advice:
    """Finds the smallest set of adapters, and its precision, that is good and fast enough here.

    Sets are tried from small to large, of each size the fastest first, and the first that fits is
    taken. What is too slow is not judged. More adapters are never faster, so the search ends at the
    size at which all sets are too slow.

    Args:
        student: A `student.onnx`.
        data: A data set, or its folder.
        budget_ms: The longest that a call may take, in milliseconds.
        max_drop: By how much each task's metric may be worse than with all adapters at fp32, as a
            share of it; the bad end of the interval counts.
        task_drops: The same for single tasks.
        kind: Layout of the data set, see `open_dataset`.
        precisions: Those to try; None is all of `USUAL` that run here.
        tasks: Tasks to run and to judge; None is all of the data set.
        limit: How many of the images to judge on, taken evenly; None is all.
        progress: Called with the progress made.
        **options: As for `load`: `backend`, `device`, `threads`, `cache_dir`, `config`.

    Raises:
        OptionError, UnknownTaskError: An argument is wrong.
        DatasetError: The data set cannot be used, or has fewer than two images.
        SakedgeError: As of `load` and `measure`.
    """
    callback("progress", progress)
    tell = silent if progress is None else progress
    path = str(file_path("the student", student))
    in_range("budget_ms", budget_ms, above=0)
    if precisions is not None:
        precisions = several("precision", precisions)
    with StudentFile.open(path) as file:
        manifest = file.manifest
    opened = as_dataset(data, manifest, kind, tasks)
    metrics = metrics_for(opened, manifest, tasks)
    limits = Limits(budget_ms, _drops(max_drop, by_name("task_drops", task_drops), tuple(metrics)))
    if limit is not None:
        in_range("limit", limit, low=2, whole=True)
        opened = evenly(opened, limit)
    _check_enough(opened)
    check(opened, manifest, tell)
    with Trials(path, opened, metrics, options) as trials:
        search = _Search(trials, manifest.adapter_names, limits, tell)
        search.run(precisions or USUAL, named=precisions is not None)
    beside = options if tasks is None else {"tasks": list(metrics), **options}
    return Advice(path, limits, beside, search.reference, search.tried, search.refused)


class _Search:
    """The search.

    Args:
        trials: What times and measures configurations.
        names: The student's adapters.
        limits: What is asked for.
        progress: Called with the progress made.
    """

    def __init__(
        self, trials: Trials, names: Sequence[str], limits: Limits, progress: Progress
    ) -> None:
        self._trials = trials
        self._names = tuple(names)
        self._limits = limits
        self._progress = progress
        self.tried: list[Configuration] = []
        self.refused: dict[str, str] = {}
        reference = trials.time(self._names, "fp32")
        self._expected = list(trials.looks(self._names, "fp32", self._told(reference)))
        self.reference = self._compared(reference, self._expected)

    def run(self, precisions: Sequence[str], *, named: bool) -> None:
        """Tries sets until one fits, or until all of a size are too slow.

        Args:
            precisions: Those to try.
            named: Whether they were asked for: then one that cannot run here is an error.
        """
        for size in range(len(self._names) + 1):
            timed = [each for p in precisions for each in self._timed(size, p, named=named)]
            for each in sorted(timed, key=lambda each: each.ms):
                self.tried.append(self._judged(each) if self._limits.fast(each) else each)
                if self._limits.fits(self.tried[-1]):
                    return
            if not any(map(self._limits.fast, timed)):
                return

    def _timed(self, size: int, precision: str, *, named: bool) -> list[Configuration]:
        """All sets of a size, none if the precision cannot run here."""
        if precision in self.refused:
            return []
        if (size, precision) == (len(self._names), "fp32"):
            return [self.reference]
        self._progress(f"timing {size} adapters at {precision}", self._share(size))
        try:
            return [self._trials.time(s, precision) for s in combinations(self._names, size)]
        except BackendError as error:
            if named:
                raise
            self.refused[precision] = error.problem
            return []

    def _judged(self, each: Configuration) -> Configuration:
        if each is self.reference:
            return each
        looks = self._trials.looks(each.adapters, each.precision, self._told(each))
        return self._compared(each, looks)

    def _compared(self, each: Configuration, looks: Iterable[Measurement]) -> Configuration:
        """It with its drops: of all images, or of the first look if that leaves no hope."""
        for found, expected in zip(looks, self._expected, strict=False):
            drops = {
                task: relative_drop(metric, expected.statistics[task], found.statistics[task])
                for task, metric in self._trials.metrics.items()
            }
            each = replace(each, drops=drops, images=len(found))
            if self._limits.hopeless(drops):
                break
        return each

    def _told(self, each: Configuration) -> Progress:
        share = self._share(len(each.adapters))
        return lambda step, _: self._progress(f"{each.name}: {step}", share)

    def _share(self, size: int) -> float:
        """Of the sets, those that are smaller."""
        count = len(self._names)
        return sum(comb(count, smaller) for smaller in range(size)) / (1 << count)


def _drops(
    max_drop: float, task_drops: Mapping[str, float], tasks: Sequence[str]
) -> dict[str, float]:
    pick("task", list(task_drops), tasks, UnknownTaskError)
    drops = dict.fromkeys(tasks, max_drop) | dict(task_drops)
    for task, drop in drops.items():
        in_range(f"the drop of {task}", drop, low=0, high=1)
    return drops


def _check_enough(data: Dataset) -> None:
    if len(data) < 2:
        raise DatasetError(
            f"{data.name} is too small to tell how sure a difference is",
            expected="two images or more",
            got=str(len(data)),
        )
