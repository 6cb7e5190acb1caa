"""Golden images once more with what is active, against the first time: has anything changed?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

import numpy as np

from sakedge.canary.golden import Golden
from sakedge.canary.report import Judged
from sakedge.canary.trend import Point, TaskPoint, Trend
from sakedge.errors import FileFormatError, ImageError, NumericError
from sakedge.format import Manifest
from sakedge.images import Picture
from sakedge.logs import LOG
from sakedge.measuring.metrics import Metric
from sakedge.measuring.running import measure_result, metrics_for
from sakedge.measuring.statistics import Measurement
from sakedge.progress import Progress
from sakedge.result import Result
from sakedge.runtime.model import silent


def recheck(
    run: Callable[[Picture], Result],
    manifest: Manifest,
    golden: Golden,
    trend: Trend,
    *,
    student: str,
    adapters: Mapping[str, str],
    rebase: bool = False,
    record: Callable[..., object] | None = None,
    progress: Progress | None = None,
) -> Point:
    """Measures golden images, compares them with the baseline, and adds a point to the trend.

    The first measurement of golden images is the baseline of those that follow: an adapter that
    each exchange makes a little worse, within its limit, is found in the end.

    Args:
        run: Runs an image with what is active.
        manifest: The student's.
        golden: The images, and what may be lost on them.
        trend: Where it is kept.
        student: Content digest of the student.
        adapters: Digest of each adapter that is active, by name.
        rebase: Whether this measurement becomes the baseline.
        record: Called with what is to stand in an audit log, as `Site.record` is.
        progress: Called with the progress made.

    Raises:
        FileFormatError: The trend is damaged or has lost its baseline.
        ImageError, StorageError: An image cannot be read, or the trend not written.
        BackendError: The runtime failed.
    """
    points = trend.points()  # read first: what is damaged is told before any work
    metrics = metrics_for(golden.data, manifest)
    setting = {"golden": golden.digest, "metrics": {t: repr(m) for t, m in metrics.items()}}
    before = None if rebase else trend.baseline(setting, golden.data.ids)
    if before is None and not rebase and any(each.golden == golden.digest for each in points):
        raise FileFormatError(
            "the trend has lost its baseline, or it was measured by other rules",
            expected="what the first measurement of these golden images found",
            got="none that can be read",
            remedy="Begin a new baseline with --rebase, after looking at the trend so far",
        )
    found, failed = _measure(run, golden, metrics, progress)
    tasks = {} if found is None else _judge(golden, metrics, before or found, found)
    alerts = [f"{task}: {each.told}" for task, each in tasks.items() if not each.passed]
    if failed:
        name, reason = next(iter(failed.items()))
        alerts.insert(0, f"{len(failed)} images cannot be run ({name}: {reason})")
    is_first = before is None and found is not None and not failed
    point = Point(
        time=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        student=student,
        adapters=dict(adapters),
        golden=golden.digest,
        images=0 if found is None else len(found),
        failed=len(failed),
        first=is_first,
        tasks={task: _task_point(each) for task, each in tasks.items()},
        alerts=alerts,
    )
    if is_first and found is not None:
        trend.begin(setting, found)
    trend.append(point)
    if record is not None:
        about = {"golden": golden.digest, "images": point.images, "alerts": "; ".join(alerts)}
        record("recheck", subject=student, result="failed" if alerts else "done", detail=about)
    for alert in alerts:
        LOG.warning("golden images of %s: %s", golden.data.name, alert)
    return point


def _measure(
    run: Callable[[Picture], Result],
    golden: Golden,
    metrics: Mapping[str, Metric],
    progress: Progress | None,
) -> tuple[Measurement | None, dict[str, str]]:
    """What was measured of the images that run, and why the others do not."""
    tell = silent if progress is None else progress
    rows, failed = [], {}
    for i in range(len(golden.data)):
        tell(f"golden image {i + 1} of {len(golden.data)}", i / len(golden.data))
        example = golden.data[i]
        try:
            result = run(example.image)
        except (ImageError, NumericError) as error:
            failed[example.id] = error.problem
            continue
        rows.append(measure_result(example, result, metrics, sum(result.speed.values())))
    return Measurement.of(rows) if rows else None, failed


def _judge(
    golden: Golden, metrics: Mapping[str, Metric], before: Measurement, found: Measurement
) -> dict[str, Judged]:
    rows = [before.ids.index(name) for name in found.ids]
    return {
        task: Judged.of(
            metric, golden.limits[task], before.statistics[task][rows], found.statistics[task]
        )
        for task, metric in metrics.items()
    }


def _task_point(judged: Judged) -> TaskPoint:
    numbers: dict[str, Any] = {
        "value": judged.value,
        "baseline": judged.reference,
        "drop": judged.drop.value,
        "low": judged.drop.low,
        "high": judged.drop.high,
        "allowed": judged.allowed,
    }
    return TaskPoint(
        metric=judged.metric,
        unit=judged.unit,
        verdict=judged.verdict,
        **{name: number if np.isfinite(number) else None for name, number in numbers.items()},
    )
