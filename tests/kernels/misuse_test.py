"""No argument of the compiled modules ends or hangs the process: it is refused, or does no harm."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from tests.kernels.misuse.cases import CASES, CRASH

NAMES = tuple(CASES)


def run(names: tuple[str, ...]) -> dict[str, str]:
    """How each case went; those after one that ended the process run in another."""
    outcomes: dict[str, str] = {}
    while len(outcomes) < len(names):
        left = names[len(outcomes) :]
        done = subprocess.run(
            [sys.executable, "-m", "tests.kernels.misuse.child"],
            input="\n".join(left),
            capture_output=True,
            text=True,
        )
        for line in done.stdout.splitlines():
            name, _, outcome = line.partition("\t")
            outcomes[name] = outcome or f"{_ending(done.returncode)}: {done.stderr[-2000:]}"
        if done.stderr and (done.returncode == 0 or not done.stdout):
            pytest.fail(done.stderr)  # a sanitizer's report, or it did not start
    return outcomes


def _ending(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"ended with {code}"


@pytest.fixture(scope="module")
def outcomes() -> dict[str, str]:
    return run(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_misuse_is_refused_or_does_no_harm(outcomes: dict[str, str], name: str) -> None:
    assert outcomes[name].startswith("refused" if CASES[name].is_refused else "done")


def test_a_case_that_ends_its_process_is_found() -> None:
    outcomes = run((CRASH, NAMES[0]))
    assert outcomes[CRASH].startswith("SIG")
    assert outcomes[NAMES[0]].startswith(("done", "refused"))
