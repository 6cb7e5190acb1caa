"""Fresh processes: how they end, and that none outlives its caller."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from sakedge.benchmarking import Plan, rounds
from sakedge.benchmarking.one_round import Request
from sakedge.errors import BackendError, UnknownTaskError
from sakedge.runtime.model import silent

BRIEF = Plan(rounds=1, iterations=1, warmup=0)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "exit code -9"),
        ("raise MemoryError('no room')", "exit code 1: MemoryError: no room"),
        ("print('hello')", "exit code 0"),
        ("""print('sakedge-round {"step": "loading", "share": 0}')""", "exit code 0"),
    ],
    ids=["killed", "traceback", "mute", "half-way"],
)
@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_a_process_that_dies_is_an_error_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch, code: str, reason: str
) -> None:
    monkeypatch.setattr(rounds, "_WORKER", [sys.executable, "-c", code])
    with pytest.raises(BackendError, match="died") as died:
        rounds.fresh_round(Request("student.onnx", (), BRIEF), silent)
    assert reason in str(died.value)


def test_an_error_keeps_its_type_and_parts(tiny_student: Path) -> None:
    request = Request(str(tiny_student), (), BRIEF, {"tasks": ["abacus"]})
    with pytest.raises(UnknownTaskError) as refused:
        rounds.fresh_round(request, silent)
    assert refused.value.got == "'abacus'" and "edge" in str(refused.value.expected)


def test_an_interrupt_ends_the_process_too(tiny_student: Path) -> None:
    others = set(psutil.Process().children())  # of tests before this one
    children: list[psutil.Process] = []

    def interrupt(step: str, share: float) -> None:
        children.extend(set(psutil.Process().children()) - others)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rounds.fresh_round(Request(str(tiny_student), (), Plan(duration=60)), interrupt)
    assert children and not any(child.is_running() for child in children)
