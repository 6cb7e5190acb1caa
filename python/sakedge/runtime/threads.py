"""The one thread policy: as many threads as the scheduler and the cgroup quota really allow.

`os.cpu_count()` counts the machine's cores. A process pinned to four of them, or a container with
a quota of one and a half, is slowed down by more threads than that, for they wait for each other.
Backend and decoder both take their number from here.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sakedge.arguments import in_range
from sakedge.backends.threads import MOST_THREADS


@dataclass(frozen=True)
class Processors:
    """What this process may use of the machine.

    Attributes:
        machine: Logical processors of the machine.
        affinity: Those that the scheduler lets this process run on.
        quota: Processors' worth of time that the cgroups grant, or None without a limit.
    """

    machine: int
    affinity: int
    quota: float | None

    @property
    def usable(self) -> int:
        """The smaller of affinity and quota, the quota rounded up, and at least one."""
        if self.quota is None:
            return self.affinity
        return max(1, min(self.affinity, math.ceil(self.quota)))


def resolve_threads(threads: int | None) -> int:
    """Number of threads to compute with.

    Args:
        threads: A number of the caller's choice, or None for the policy's.

    Raises:
        OptionError: The number is not a whole one from 1 to `MOST_THREADS`.
    """
    if threads is None:
        return min(processors().usable, MOST_THREADS)
    in_range("threads", threads, low=1, high=MOST_THREADS, whole=True)
    return int(threads)


def processors(root: Path = Path("/")) -> Processors:
    """Queries the machine, the scheduler and the cgroups.

    Args:
        root: Where `proc` and the cgroup mounts are found; another one in tests.
    """
    machine = os.cpu_count() or 1
    try:
        affinity = len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # macOS and Windows have no such call
        affinity = machine
    return Processors(machine, max(1, affinity), cgroup_quota(root))


def cgroup_quota(root: Path = Path("/")) -> float | None:
    """Tightest quota over this process's cgroup and all that it is nested in, in processors.

    Version 1 states it in `cpu.cfs_quota_us` and `cpu.cfs_period_us`, version 2 in `cpu.max`.
    None where nothing limits or where there are no cgroups.
    """
    quotas = [quota for folder in _cgroup_folders(root) for quota in _quotas(folder)]
    return min(quotas, default=None)


def _quotas(folder: Path) -> Iterator[float]:
    """The quota that one cgroup states, in either version's files."""
    text = _read(folder / "cpu.max")
    if not text:
        text = f"{_read(folder / 'cpu.cfs_quota_us')} {_read(folder / 'cpu.cfs_period_us')}"
    try:
        quota, period = (int(part) for part in text.split())  # "max 100000" is no limit
    except ValueError:
        return
    if quota > 0 and period > 0:  # version 1 says -1 for no limit
        yield quota / period


def _cgroup_folders(root: Path) -> Iterator[Path]:
    """This process's folder in each hierarchy that governs CPU time, and the folders above it."""
    groups = dict(_memberships(root))
    for controller, mount_root, mount in _mounts(root):
        folder = root / mount.relative_to("/")
        yield folder
        try:
            # In a container the mount may show only a part of the hierarchy that the path spans.
            below = groups[controller].relative_to(mount_root)
        except (KeyError, ValueError):
            continue
        for part in below.parts:
            if part == "..":  # outside of this cgroup namespace
                break
            folder /= part
            yield folder


def _memberships(root: Path) -> Iterator[tuple[str, PurePosixPath]]:
    """Controller and path of each line of /proc/self/cgroup; version 2's controller is ''."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        for controller in controllers.split(","):
            yield controller, PurePosixPath(path or "/")


def _mounts(root: Path) -> Iterator[tuple[str, PurePosixPath, PurePosixPath]]:
    """Controller, root and mount point of each hierarchy: version 2's, and version 1's for cpu."""
    for line in _read(root / "proc/self/mountinfo").splitlines():
        mount, _, system = line.partition(" - ")
        fields, kind = mount.split(), system.split()
        if len(fields) < 5 or len(kind) < 3:
            continue
        points = PurePosixPath(fields[3]), PurePosixPath(fields[4])
        if kind[0] == "cgroup2":
            yield "", *points
        elif kind[0] == "cgroup" and "cpu" in kind[2].split(","):
            yield "cpu", *points


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""
