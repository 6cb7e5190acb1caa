"""A system that starts no more threads is an error, and the threads that it did start end."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("resource", reason="Windows limits no address space")

FEW = """
import resource
from pathlib import Path
from sakedge.decoder import thread_pool
from sakedge.errors import BackendError

def lines(name):
    return dict(line.split(":", 1) for line in Path(f"/proc/self/{name}").read_text().splitlines())

before = lines("status")["Threads"]
room = (int(lines("status")["VmSize"].split()[0]) << 10) + (1 << 30)
resource.setrlimit(resource.RLIMIT_AS, (room, room))
try:
    thread_pool(1000)
except BackendError as error:
    print(error.problem)
print(lines("status")["Threads"] == before, thread_pool(2).threads)
"""

FORKED = """
import os, sys
from sakedge import _core
from tools.fuzz.core_parts import Sizes
decoder, arguments = _core.Decoder(**Sizes().decoder(4)), Sizes().run()
expected = decoder.run(**arguments)[0][1][0].tobytes()
child = os.fork()
if child == 0:
    os._exit(7 if decoder.run(**arguments)[0][1][0].tobytes() == expected else 8)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def said(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    return done.stdout.splitlines() or [done.stderr]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_more_threads_than_the_system_starts_are_refused_and_none_stays() -> None:
    assert said(FEW) == ["the system does not start 1000 threads", "True 2"]


def test_a_forked_child_computes_alone() -> None:
    assert said(FORKED) == ["7"]
