"""SAKEDGE_ISA, each case in its own process: it is read once."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from sakedge import decoder

PROGRAM = """
from sakedge import decoder
from sakedge.errors import IsaError
try:
    print("isa", decoder.isa())
except IsaError as error:
    print("error", error)
"""

REPORT = """
from tests.kernels.loaded import Loaded
from tests.kernels.students import Spec, make_student
from sakedge.images.window import Window
student = make_student(Spec())
height, width = student.manifest.input_size
(out,) = Loaded(student).run(
    student.features(), tasks=student.manifest.task_names,
    adapters=[student.manifest.adapter_names], windows=[Window(height, width)], logits=True)
print("largest", max(abs(logits).max() for logits in out.logits.values()))
"""


def _run(program: str, isa: str | None) -> str:
    env = {k: v for k, v in os.environ.items() if k != "SAKEDGE_ISA"}
    if isa is not None:
        env["SAKEDGE_ISA"] = isa
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_the_best_supported_one_is_chosen() -> None:
    best = next(name for name, supported, _ in decoder.isas() if supported)
    assert _run(PROGRAM, None) == f"isa {best}"


@pytest.mark.parametrize("name", [name for name, _, _ in decoder.isas()])
def test_each_known_one_is_forced_or_refused_with_its_reason(name: str) -> None:
    _, supported, reason = next(isa for isa in decoder.isas() if isa[0] == name)
    answer = _run(PROGRAM, name)
    if supported:
        assert answer == f"isa {name}"
    else:
        assert answer.startswith("error SAKEDGE_ISA cannot be used")
        assert reason in answer


def test_an_unknown_name_lists_those_that_there_are() -> None:
    answer = _run(PROGRAM, "sse9")
    assert answer.startswith("error SAKEDGE_ISA names no instruction set")
    assert all(name in answer for name, _, _ in decoder.isas())


def test_an_empty_name_forces_nothing() -> None:
    assert _run(PROGRAM, "") == _run(PROGRAM, None)


@pytest.mark.parametrize("name", [name for name, supported, _ in decoder.isas() if supported])
def test_a_forced_one_decodes_as_the_best_does(name: str) -> None:
    forced = float(_run(REPORT, name).split()[1])
    best = float(_run(REPORT, None).split()[1])
    assert forced == pytest.approx(best, rel=1e-5)
