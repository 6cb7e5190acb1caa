"""The tasks of a student: their kinds, and what a caller gets for each."""

from __future__ import annotations

from sakedge.tasks.info import Name, TaskInfo
from sakedge.tasks.kinds import KINDS, Kind
from sakedge.tasks.results import result_class, task_result

__all__ = ["KINDS", "Kind", "Name", "TaskInfo", "result_class", "task_result"]
