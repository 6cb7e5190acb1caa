"""What each adapter is worth for each task: the student measured with some of its adapters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.evaluating.cost import CALLS, median_ms, weight_bytes
from sakedge.evaluating.run import measure
from sakedge.measuring.data import Dataset
from sakedge.measuring.intervals import Estimate, estimate, gain
from sakedge.measuring.metrics import Metric
from sakedge.measuring.statistics import Measurement
from sakedge.progress import Progress
from sakedge.runtime.model import silent
from sakedge.student import Student

ALL_SUBSETS = 4
"""With more adapters than this not every subset is measured: their number doubles with each."""

Names = tuple[str, ...]
Statistics = Mapping[Names, Mapping[str, NDArray[np.float64]]]
Gains = Mapping[str, Mapping[Names, Estimate]]
"""By task, and by the adapters that are compared."""


@dataclass(frozen=True, eq=False)
class Subset:
    """The student with some of its adapters.

    Attributes:
        adapters: Which.
        values: By task the metric's value, with its interval.
        routing: By task the mean weight over the images, [levels, experts].
        ms: Median milliseconds of a call, measured by itself.
        weight_bytes: Bytes of the weights that it takes, as they are stored.
    """

    adapters: Names
    values: Mapping[str, Estimate]
    routing: Mapping[str, NDArray[np.float64]]
    ms: float
    weight_bytes: int


@dataclass(frozen=True, eq=False)
class Ablation:
    """What each adapter is worth.

    All gains are in the metric's unit, with the interval of the paired difference; above 0 is
    better. Those that take a subset that was not measured are left out.

    Attributes:
        backend: The runtime of all this.
        precision: Its precision.
        metrics: The metric of each task.
        subsets: None, then single adapters and so on, last all of them.
        worth: By task and adapter `(a,)`: what all gain from it over all without it.
        instead: By task and `(a, b)`: what a alone gains over b alone; `(a,)`: over the stem alone.
        added: By task and `(a, b)`: what a and b together gain over b alone.
    """

    backend: str
    precision: str
    metrics: Mapping[str, Metric]
    subsets: Sequence[Subset]
    worth: Gains
    instead: Gains
    added: Gains

    def as_dicts(self, gains: Gains) -> dict[str, list[dict[str, Any]]]:
        """Gains, ready for JSON."""
        return {
            task: [
                {
                    "adapter": names[0],
                    **({"over": names[1]} if len(names) > 1 else {}),
                    **asdict(found),
                }
                for names, found in each.items()
            ]
            for task, each in gains.items()
        }


def subsets_of(names: Sequence[str]) -> list[Names]:
    """The subsets to measure: all of them up to `ALL_SUBSETS` adapters.

    Beyond that none, each alone, all but each, and all.
    """
    count = len(names)
    sizes = range(count + 1) if count <= ALL_SUBSETS else (0, 1, count - 1, count)
    return [subset for size in sizes for subset in combinations(names, size)]


def ablate(
    student: Student,
    data: Dataset,
    metrics: Mapping[str, Metric],
    *,
    progress: Progress | None = None,
    store: Path | None = None,
) -> Ablation:
    """Measures a student with subsets of its loaded adapters.

    Args:
        student: The student.
        data: The data set.
        metrics: The metric of each task.
        progress: Called with the progress made.
        store: As of `measure`.

    Raises:
        SakedgeError: As of `measure`.
    """
    tell = silent if progress is None else progress
    names = student.adapters.active
    wanted = subsets_of(names)
    found: dict[Names, Measurement] = {}
    subsets = []
    pictures = [data[i].image for i in range(min(CALLS, len(data)))]
    for i, subset in enumerate(wanted):
        title = " + ".join(subset) or "stem only"

        def told(step: str, share: float, i: int = i, title: str = title) -> None:
            tell(f"{title}: {step}", (i + share) / len(wanted))

        found[subset] = measure(student, data, metrics, adapters=subset, progress=told, store=store)
        subsets.append(
            Subset(
                subset,
                {task: estimate(m, found[subset].statistics[task]) for task, m in metrics.items()},
                {t: np.mean(w, axis=0, dtype=np.float64) for t, w in found[subset].routing.items()},
                median_ms(student, pictures, subset, list(metrics)),
                weight_bytes(student.manifest, subset, list(metrics)),
            )
        )
    explained = student.explain()
    statistics = {subset: each.statistics for subset, each in found.items()}
    return Ablation(
        explained.backend,
        explained.precision,
        metrics,
        subsets,
        *gains(metrics, names, statistics),
    )


def gains(
    metrics: Mapping[str, Metric], names: Sequence[str], statistics: Statistics
) -> tuple[Gains, Gains, Gains]:
    """What adapters gain: each over all without it, each alone over others, each added to another.

    Args:
        metrics: The metric of each task.
        names: The adapters, in order.
        statistics: By subset and task, [N, S].
    """
    order = {name: i for i, name in enumerate(names)}

    def key(*chosen: str) -> Names:
        return tuple(sorted(chosen, key=order.__getitem__))

    everything = tuple(names)
    worth: dict[Names, tuple[Names, Names]] = {
        (a,): (key(*(n for n in names if n != a)), everything) for a in names
    }
    instead: dict[Names, tuple[Names, Names]] = {(a,): ((), (a,)) for a in names}
    added: dict[Names, tuple[Names, Names]] = {}
    for a in names:
        for b in names:
            if a != b:
                instead[a, b] = (b,), (a,)
                added[a, b] = (b,), key(a, b)

    def of(pairs: Mapping[Names, tuple[Names, Names]]) -> Gains:
        return {
            task: {
                which: gain(metric, statistics[without][task], statistics[with_][task])
                for which, (without, with_) in pairs.items()
                if without in statistics and with_ in statistics
            }
            for task, metric in metrics.items()
        }

    return of(worth), of(instead), of(added)
