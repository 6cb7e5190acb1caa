"""From a kind to what a caller gets of it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from sakedge.tasks.info import TaskInfo
from sakedge.tasks.kinds import KINDS

if TYPE_CHECKING:  # what draws is imported when a student is loaded, not with the table of kinds
    from sakedge.tasks.base import TaskResult


def result_class(kind: str) -> type[TaskResult]:
    """What a caller gets of a task of this kind."""
    module, _, name = KINDS[kind].result.partition(":")
    found: type[TaskResult] = getattr(import_module(module), name)
    return found


def task_result(
    info: TaskInfo, values: NDArray[Any], logits: NDArray[Any] | None = None
) -> TaskResult:
    """A task's decoded output as its kind presents it."""
    return result_class(info.kind)(info, values, logits)
