"""Whether an adapter may go live: on golden images before, on live ones after."""

from sakedge.canary.golden import Golden, Limit
from sakedge.canary.judge import Runner, judge
from sakedge.canary.report import Report, TaskReport
from sakedge.canary.watch import Seen, Watch
from sakedge.canary.watching import Watching

__all__ = [
    "Golden",
    "Limit",
    "Report",
    "Runner",
    "Seen",
    "TaskReport",
    "Watch",
    "Watching",
    "judge",
]
