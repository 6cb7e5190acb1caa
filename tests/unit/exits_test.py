"""The interpreter ends cleanly while threads compute; `tools.soak_exits` does it fifty times."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from tests.support.interrupts import interrupted_at
from tools.soak_exits import WORK, exit_while

from sakedge.runtime import exits


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("work", WORK)
def test_exit_while_daemon_threads_work(work: str, backend: str) -> None:
    assert [exit_while(work, backend, pause) for pause in (0.1, 0.37)] == ["", ""]


def test_a_forked_child_does_not_wait_for_its_parents_threads() -> None:
    program = """
import os, threading
from sakedge.runtime.exits import native
begun = threading.Event()
def compute():
    with native():
        begun.set()
        threading.Event().wait()
threading.Thread(target=compute, daemon=True).start()
begun.wait()
child = os.fork()
if child == 0:
    raise SystemExit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
os._exit(0)
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=50
    )
    assert ended.stdout.strip() == "7"


def test_steps_nest_and_end_when_they_raise() -> None:
    with pytest.raises(ZeroDivisionError), exits.native(), exits.native():
        raise ZeroDivisionError
    done = threading.Event()

    def compute() -> None:
        with exits.native():
            done.set()

    threading.Thread(target=compute).start()
    assert done.wait(10)
    assert exits._computing == 0


def test_an_interrupted_step_of_the_main_thread_is_not_waited_for() -> None:
    """At any instruction: once Ctrl-C left a step counted, and the exit waited a minute for it."""

    def compute() -> None:
        with exits.native():
            pass

    step = 1
    while interrupted_at(step, compute):
        assert exits._computing == 0, step
        step += 1
    assert step > 20
