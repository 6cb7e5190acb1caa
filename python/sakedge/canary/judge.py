"""Runs golden images with an old and a new snapshot, and judges the new one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sakedge.adapters.snapshot import Snapshot
from sakedge.canary.golden import Golden
from sakedge.canary.report import Judged, Report, TaskReport
from sakedge.canary.spread import Spread
from sakedge.canary.weights import exchanged, weight_of
from sakedge.errors import AdapterRejectedError, DatasetError, ImageError, NumericError
from sakedge.format import Manifest
from sakedge.images import ImageLike
from sakedge.measuring.intervals import disagreement, distance
from sakedge.measuring.metrics import Agreement, Metric, agreement_for
from sakedge.measuring.running import metrics_for
from sakedge.progress import Progress
from sakedge.result import Result

Runner: TypeAlias = Callable[[ImageLike, Sequence[Snapshot], Sequence[str]], list[Result]]
"""Runs one image with each of some snapshots, and gives these tasks of it; one pass of the stem."""

_Rows: TypeAlias = "dict[str, list[NDArray[np.float64]]]"


def judge(
    run: Runner,
    manifest: Manifest,
    golden: Golden,
    old: Snapshot,
    new: Snapshot,
    *,
    progress: Progress | None = None,
) -> Report:
    """Judges what a new snapshot does to each task on golden images. Changes nothing.

    Args:
        run: Runs an image with several snapshots.
        manifest: The student's.
        golden: The images, and what may be lost on them.
        old: What runs now, assembled.
        new: What would run, assembled.
        progress: Called with the progress made.

    Raises:
        AdapterRejectedError: The new one is worse than allowed, or not shown to be good; it has
            the report.
        DatasetError: The golden images have ground truth for no task that runs, or some of it
            cannot be used.
        ImageError, StorageError: An image cannot be read.
        BackendError: The runtime failed.
    """
    data = golden.data
    tasks = [task for task in data.tasks if task in old.heads and task in new.heads]
    if not tasks:
        raise DatasetError(
            f"{data.name} has ground truth for no task that is loaded",
            expected=f"some of {', '.join(old.heads)}",
            got=", ".join(data.tasks),
        )
    slots = exchanged(old, new)
    weighed = 1 if any(name in new.adapters for name in slots) else 0
    pairs = _Pairs(manifest, metrics_for(data, manifest, tasks), slots, weighed)
    for i in range(len(data)):
        if progress is not None:
            progress(f"golden image {i + 1} of {len(data)}", i / len(data))
        example = data[i]
        before, after = _run_both(run, example.image, old, new, tasks)
        pairs.add(example.id, example.truth, before, after)
    report = Report(
        data.name,
        golden.digest,
        len(data),
        pairs.slots,
        {name: old.adapters[name].id.digest for name in pairs.slots if name in old.adapters},
        {name: new.adapters[name].id.digest for name in pairs.slots if name in new.adapters},
        pairs.reports(golden),
        pairs.failed,
        tuple(pairs.unpaired),
    )
    if not report.passed:
        error = AdapterRejectedError(
            "the adapter did not pass the golden images; nothing was changed",
            expected=f"every task within its limit on {data.name}",
            got="; ".join(report.reasons),
            remedy="Keep the old adapter; `sakedge evaluate` shows where the new one is worse",
        )
        error.report = report
        raise error
    return report


def _run_both(
    run: Runner, image: ImageLike, old: Snapshot, new: Snapshot, tasks: Sequence[str]
) -> list[Result | ImageError | NumericError]:
    """An image's results before and after, or why there is none."""
    try:
        return [*run(image, [old, new], tasks)]
    except (ImageError, NumericError):
        return [_run_one(run, image, each, tasks) for each in (old, new)]


def _run_one(
    run: Runner, image: ImageLike, snapshot: Snapshot, tasks: Sequence[str]
) -> Result | ImageError | NumericError:
    try:
        (result,) = run(image, [snapshot], tasks)
    except (ImageError, NumericError) as error:
        return error
    return result


class _Pairs:
    """What is kept of the images that ran with both.

    Args:
        manifest: The student's.
        metrics: Of each task.
        slots: Those whose adapter was exchanged.
        weighed: Where their weight is seen: 1 after the exchange, 0 before, of what is taken out.
    """

    def __init__(
        self,
        manifest: Manifest,
        metrics: Mapping[str, Metric],
        slots: tuple[str, ...],
        weighed: int,
    ) -> None:
        infos = {info.name: info for info in manifest.tasks}
        self.slots = slots
        self.failed: dict[str, str] = {}
        self.unpaired: list[str] = []
        self._weighed = weighed
        self._metrics = metrics
        self._agreements = {task: agreement_for(infos[task]) for task in metrics}
        self._old: _Rows = defaultdict(list)
        self._new: _Rows = defaultdict(list)
        self._differ: _Rows = defaultdict(list)
        self._weights: dict[str, list[float]] = defaultdict(list)

    def add(
        self,
        name: str,
        truth: Mapping[str, NDArray[Any]],
        before: Result | ImageError | NumericError,
        after: Result | ImageError | NumericError,
    ) -> None:
        """Measures one image."""
        if not isinstance(after, Result):
            self.failed[name] = after.problem
            return
        if not isinstance(before, Result):
            self.unpaired.append(name)
            return
        for task, metric in self._metrics.items():
            was, is_now = before[task].values, after[task].values
            self._old[task].append(metric.measure(was, truth[task]))
            self._new[task].append(metric.measure(is_now, truth[task]))
            self._differ[task].append(self._agreements[task].measure(is_now, was))
            routing = (before, after)[self._weighed].routing
            if self.slots and task in routing:
                self._weights[task].append(weight_of(routing[task], self.slots))

    def reports(self, golden: Golden) -> dict[str, TaskReport]:
        """By task what was found; empty if no image ran with both."""
        return {task: self._report(task, golden) for task in self._metrics if self._old[task]}

    def _report(self, task: str, golden: Golden) -> TaskReport:
        metric: Any = self._metrics[task]
        agreement: Agreement = self._agreements[task]
        old, new = np.stack(self._old[task]), np.stack(self._new[task])
        differ, weights = np.stack(self._differ[task]), self._weights[task]
        return TaskReport(
            **vars(Judged.of(metric, golden.limits[task], old, new)),
            disagreement=disagreement(agreement, differ),
            differs=Spread.of(distance(agreement, differ).tolist()),
            weights=Spread.of(weights) if weights else None,
        )
