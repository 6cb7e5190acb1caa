"""Threads that the system does not grant: an error, never a runtime that waits for ever."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sakedge.backends import registry
from sakedge.backends.threads import MOST_THREADS, require_threads
from sakedge.errors import BackendError
from sakedge.files.sparing import sparing
from sakedge.peers.stock import STOCK

LITTLE = """
import resource, sys
from pathlib import Path
from sakedge.backends import registry
from sakedge.backends.base import CompileOptions
from sakedge.errors import BackendError
from sakedge.format import StudentFile
from sakedge.peers.stock import open_stock

student, name, kind = sys.argv[1:]
assert registry.probe(name).ok
with StudentFile.open(student) as file:
    stem = file.stem()
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (500 << 20),) * 2)
try:
    if kind == "ours":
        registry.get(name).compile(stem, CompileOptions(threads=1000))
    else:
        open_stock(name, Path(student), 1000)
except BackendError as error:
    print(error)
"""

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the system's limits are Linux's")


@on_linux
@pytest.mark.parametrize("kind", ["ours", "stock"])
@pytest.mark.parametrize("name", registry.BACKENDS)
def test_a_runtime_that_would_get_too_few_threads_is_not_started(
    name: str, kind: str, tiny_student: Path
) -> None:
    assert set(registry.BACKENDS) == set(STOCK)
    command = [sys.executable, "-c", LITTLE, str(tiny_student), name, kind]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "the system grants no more threads; expected 999 more; got " in ended.stdout, ended


@on_linux
def test_the_threads_that_were_asked_for_are_gone_afterwards() -> None:
    before = set(Path("/proc/self/task").iterdir())
    require_threads(200)
    assert set(Path("/proc/self/task").iterdir()) <= before


@pytest.mark.parametrize("count", [-1, 0, 1])
def test_a_few_threads_are_always_there(count: int) -> None:
    require_threads(count)


def test_without_a_helper_thread_pages_are_released_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    done: list[str] = []
    with sparing(lambda: done.append("released")):
        done.append("ran")
    assert done == ["ran", "released"]


@pytest.mark.parametrize("count", [MOST_THREADS, 2**31, 2**64])
def test_more_than_any_student_is_run_with_are_not_tried(count: int) -> None:
    with pytest.raises(BackendError, match="at most 1024"):
        require_threads(count)
