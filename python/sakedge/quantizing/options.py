"""What a quantisation is asked for, checked before any work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sakedge.arguments import by_name, flag, in_range, one_of, pick
from sakedge.backends import registry
from sakedge.backends.runtimes import DOCTOR_SAYS
from sakedge.errors import BackendError, UnknownBackendError, UnknownTaskError
from sakedge.format import Manifest
from sakedge.quantizing.ranges import RANGES

MAX_DROP = 0.01
"""A task may lose one hundredth."""
MAX_DISAGREEMENT = 0.05
"""Without labels it may differ from fp32 in five: what differs is wrong in either as often as not.
The demo student's boundaries differ in two, and its odsF drops by a tenth of one."""


@dataclass(frozen=True)
class Options:
    """How a student is quantised and judged.

    Attributes:
        ranges: How the range of a layer's input is chosen, one of `RANGES`.
        smooth: Whether outliers may be moved into the weights.
        search: Whether parts may be kept in floats.
        max_drop: By task the largest drop that was asked for, as a share.
        backends: Runtimes in which the student is judged; the search is made in the first.
        threads: To compute with.
    """

    ranges: str
    smooth: bool
    search: bool
    max_drop: Mapping[str, float]
    backends: tuple[str, ...]
    threads: int

    @classmethod
    def checked(
        cls,
        manifest: Manifest,
        *,
        ranges: Any,
        smooth: Any,
        search: Any,
        max_drop: Any,
        task_drops: Any,
        backends: str | Sequence[str] | None,
        threads: int,
    ) -> Options:
        """Checks what a caller gave.

        Raises:
            OptionError, UnknownTaskError, UnknownBackendError: Some of it is wrong.
            BackendError: No backend can run here.
        """
        one_of("ranges", ranges, tuple(RANGES))
        return cls(
            ranges,
            flag("smooth", smooth),
            flag("search", search),
            _drops(max_drop, task_drops, manifest.task_names),
            _able() if backends is None else _named(backends),
            threads,
        )

    def allowed(self, task: str, *, labelled: bool) -> float:
        """The largest drop of a task; without labels, the largest disagreement with fp32."""
        return self.max_drop.get(task, MAX_DROP if labelled else MAX_DISAGREEMENT)


def _drops(common: Any, single: Any, tasks: Sequence[str]) -> dict[str, float]:
    single = by_name("task_drops", single)
    pick("task", list(single), tasks, UnknownTaskError)
    drops = {} if common is None else dict.fromkeys(tasks, common)
    if common is not None:
        in_range("max_drop", common, above=0, high=1)
    for task, drop in single.items():
        in_range(f"the drop of {task}", drop, above=0, high=1)
    return {task: float(drop) for task, drop in {**drops, **single}.items()}


def _named(backends: str | Sequence[str]) -> tuple[str, ...]:
    return pick("backend", backends, registry.names(), UnknownBackendError)


def _able() -> tuple[str, ...]:
    support = {name: registry.probe(name) for name in registry.BACKENDS}
    able = tuple(name for name, found in support.items() if found.ok)
    if not able:
        reasons = "; ".join(f"{name}: {found.reason}" for name, found in support.items())
        raise BackendError(f"no backend can run here: {reasons}", remedy=DOCTOR_SAYS)
    return able
