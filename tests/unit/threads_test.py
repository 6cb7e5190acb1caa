"""The thread policy on fake machines: cgroups of both versions, nested, limited and not."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sakedge.backends.threads import MOST_THREADS
from sakedge.decoder import thread_pool
from sakedge.errors import OptionError
from sakedge.runtime.threads import Processors, cgroup_quota, processors, resolve_threads

V2 = "31 23 0:28 {root} /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = "32 31 0:29 {root} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"


class Machine:
    """A fake root folder with /proc/self and cgroup mounts."""

    def __init__(self, root: Path, membership: str, mounts: str) -> None:
        self.root = root
        self._write("proc/self/cgroup", membership)
        self._write("proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda rw\n" + mounts)

    def v2(self, group: str, limit: str) -> Machine:
        self._write(f"sys/fs/cgroup{group}/cpu.max", limit)
        return self

    def v1(self, group: str, quota: int, period: int = 100_000) -> Machine:
        folder = f"sys/fs/cgroup/cpu,cpuacct{group}"
        self._write(f"{folder}/cpu.cfs_quota_us", f"{quota}\n")
        self._write(f"{folder}/cpu.cfs_period_us", f"{period}\n")
        return self

    def quota(self) -> float | None:
        return cgroup_quota(self.root)

    def _write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def v2_machine(root: Path, group: str = "/", mount_root: str = "/") -> Machine:
    return Machine(root, f"0::{group}\n", V2.format(root=mount_root))


def v1_machine(root: Path, group: str = "/", mount_root: str = "/") -> Machine:
    membership = f"9:name=systemd:/x\n4:cpu,cpuacct:{group}\n2:memory:/other\n0::/\n"
    return Machine(root, membership, V1.format(root=mount_root))


def test_version_2_states_quota_and_period(tmp_path: Path) -> None:
    assert v2_machine(tmp_path).v2("", "300000 100000\n").quota() == 3.0


def test_version_1_states_them_in_two_files(tmp_path: Path) -> None:
    assert v1_machine(tmp_path).v1("", 50_000, 20_000).quota() == 2.5


def test_no_limit_is_no_quota(tmp_path: Path) -> None:
    assert v2_machine(tmp_path / "2").v2("", "max 100000\n").quota() is None
    assert v1_machine(tmp_path / "1").v1("", -1).quota() is None
    assert cgroup_quota(tmp_path / "neither") is None


@pytest.mark.parametrize(("outer", "inner"), [("150000 100000", "max 1"), ("max 1", "3 2")])
def test_the_tightest_of_nested_groups_counts(tmp_path: Path, outer: str, inner: str) -> None:
    machine = v2_machine(tmp_path, "/plant/line/camera").v2("/plant", "400000 100000")
    assert machine.v2("/plant/line", outer).v2("/plant/line/camera", inner).quota() == 1.5


def test_groups_beside_the_own_one_do_not_count(tmp_path: Path) -> None:
    machine = v2_machine(tmp_path, "/plant/line").v2("/plant/line", "200000 100000")
    assert machine.v2("/plant/other", "1000 100000").quota() == 2.0


def test_version_1_nests_too(tmp_path: Path) -> None:
    machine = v1_machine(tmp_path, "/docker/c0ffee").v1("/docker", 700_000)
    assert machine.v1("/docker/c0ffee", 800_000).quota() == 7.0


def test_a_container_sees_its_own_group_as_the_root_of_the_mount(tmp_path: Path) -> None:
    machine = v1_machine(tmp_path, "/docker/c0ffee/inner", "/docker/c0ffee")
    assert machine.v1("", 300_000).v1("/inner", 200_000).quota() == 2.0


def test_a_group_outside_of_the_namespace_falls_back_to_the_mount(tmp_path: Path) -> None:
    assert v2_machine(tmp_path, "/../../init.scope").v2("", "100000 50000").quota() == 2.0


@pytest.mark.parametrize("text", ["", "nonsense", "1 2 3", "100000 0", "0 100000"])
def test_what_cannot_be_understood_limits_nothing(tmp_path: Path, text: str) -> None:
    assert v2_machine(tmp_path).v2("", text).quota() is None


@pytest.mark.parametrize(
    ("affinity", "quota", "usable"),
    [(8, None, 8), (8, 1.5, 2), (2, 6.0, 2), (4, 0.1, 1), (4, 4.0, 4), (1, 0.5, 1)],
)
def test_the_smaller_of_affinity_and_rounded_up_quota(
    affinity: int, quota: float | None, usable: int
) -> None:
    assert Processors(64, affinity, quota).usable == usable


def test_without_a_scheduler_call_every_processor_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)  # as on macOS and Windows
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert processors(Path("/nowhere")) == Processors(6, 6, None)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux only")
def test_a_pinned_process_uses_one_thread() -> None:
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from sakedge.runtime.threads import resolve_threads; print(resolve_threads(None))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert printed.stdout == "1\n", printed.stderr


def test_a_number_of_the_callers_is_taken_as_it_is() -> None:
    assert resolve_threads(999) == 999
    assert resolve_threads(np.int64(3)) == 3  # type: ignore[arg-type]


def test_a_machine_with_more_processors_than_the_decoder_takes_uses_what_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = Processors(4096, 4096, None)
    monkeypatch.setattr("sakedge.runtime.threads.processors", lambda: many)
    assert resolve_threads(None) == MOST_THREADS


def test_the_decoder_takes_the_most_threads() -> None:
    with pytest.raises(OptionError, match=rf"from 1 to {MOST_THREADS}"):
        thread_pool(MOST_THREADS + 1)


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2", True, 1025, 2**31, 2**64, math.nan, [1]])
def test_anything_else_is_refused(threads: object) -> None:
    with pytest.raises(OptionError, match="a whole number from 1 to 1024"):
        resolve_threads(threads)  # type: ignore[arg-type]
