"""Who used the processors: this process, and everybody else on the ones that it may use."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from sakedge.benchmarking.hardware.sysfs import text

_CPU = re.compile(r"^cpu([0-9]+) ([0-9 ]+)$", re.MULTILINE)
NOTICEABLE = 0.05
"""Share of the time that others can have cost, from which on it is said."""
_BUSY = (0, 1, 2, 5, 6, 7)
"""user, nice, system, irq, softirq, steal; guests are within user and nice."""


@dataclass(frozen=True)
class CpuTime:
    """Seconds of processors since some moment.

    Attributes:
        at: The moment it was read at, seconds.
        own: Used by this process.
        busy: Used by anyone on the processors that this process may use, or taken by the
            hypervisor; None where the system does not say.
        waited: For which threads of this process were ready to run and had no processor, summed
            over the threads; None where the system does not say.
    """

    at: float
    own: float
    busy: float | None
    waited: float | None

    @classmethod
    def now(cls, root: Path = Path("/")) -> CpuTime:
        """Reads the counters; they tick a hundred times a second."""
        return cls(time.perf_counter(), time.process_time(), _busy(root), _waited(root))

    def since(self, then: CpuTime) -> Usage:
        """Who used what in between."""
        seconds, own = self.at - then.at, self.own - then.own
        others = waiting = None
        if self.busy is not None and then.busy is not None:
            others = max(self.busy - then.busy - own, 0.0) / seconds
        if self.waited is not None and then.waited is not None:
            waiting = max(self.waited - then.waited, 0.0) / seconds
        return Usage(seconds, own, others, waiting)


@dataclass(frozen=True)
class Usage:
    """Who used what in some time.

    Attributes:
        seconds: The time.
        own: Seconds of processors that this process used.
        others: Processors that others used on average.
        waiting: Threads of this process that were ready and had no processor, on average.
    """

    seconds: float
    own: float
    others: float | None
    waiting: float | None

    def delayed(self, processors: int) -> float | None:
        """The largest share of the time that others can have cost; None if nothing is known.

        What a thread is delayed by others is time that they used a processor, and time that a
        thread waited for one. And no less time was needed than the own work on all processors.
        """
        bounds = [each for each in (self.others, self.waiting) if each is not None]
        if not bounds:
            return None
        needed = min(1.0, self.own / self.seconds / processors)
        return max(0.0, min(*bounds, 1.0 - needed))


def autogroup_niceness(root: Path = Path("/")) -> int | None:
    """The priority of this session among others; where it exists, a niceness counts only within."""
    found = re.fullmatch(
        r"/autogroup-[0-9]+ nice (-?[0-9]+)", text(root / "proc/self/autogroup") or ""
    )
    return int(found[1]) if found else None


def _busy(root: Path) -> float | None:
    counted = dict(_CPU.findall(text(root / "proc/stat") or ""))
    try:
        allowed = {str(each) for each in os.sched_getaffinity(0)}
        tick = os.sysconf("SC_CLK_TCK")
    except (AttributeError, OSError, ValueError):
        return None
    ticks = [counts.split() for cpu, counts in counted.items() if cpu in allowed]
    if not ticks or any(len(each) <= max(_BUSY) for each in ticks):
        return None
    return sum(int(each[i]) for each in ticks for i in _BUSY) / tick


def _waited(root: Path) -> float | None:
    """The second figure of each thread's schedstat: nanoseconds on a run queue."""
    found = [(text(each) or "").split() for each in root.glob("proc/self/task/*/schedstat")]
    known = [int(each[1]) for each in found if len(each) == 3 and each[1].isdigit()]
    return sum(known) / 1e9 if known else None
