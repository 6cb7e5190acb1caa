"""Ctrl-C where Python discards exceptions."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator

import pytest

from sakedge.cli import interrupts

IMPORTING = """
import signal
signal.raise_signal(signal.SIGINT)
for _ in range(1000):  # the handler runs between two instructions
    pass
"""


@pytest.fixture(autouse=True)
def _default_handler() -> Iterator[None]:
    before, hook = signal.signal(signal.SIGINT, signal.default_int_handler), sys.unraisablehook
    yield
    signal.signal(signal.SIGINT, before)
    sys.unraisablehook = hook


def test_an_interrupt_inside_the_import_system_comes_a_moment_later() -> None:
    interrupts.prepare()
    exec(compile(IMPORTING, "<frozen importlib._bootstrap>", "exec"), {})
    with pytest.raises(KeyboardInterrupt):
        time.sleep(30)


def test_an_interrupt_inside_a_destructor_comes_a_moment_later() -> None:
    class Part:
        def __del__(self) -> None:
            exec(IMPORTING)

    interrupts.prepare()
    part = Part()
    del part
    with pytest.raises(KeyboardInterrupt):
        time.sleep(30)


def test_other_errors_of_destructors_are_reported(capsys: pytest.CaptureFixture[str]) -> None:
    class Part:
        def __del__(self) -> None:
            raise ValueError("worn out")

    interrupts.prepare()
    part = Part()
    del part
    assert "worn out" in capsys.readouterr().err


def test_any_other_interrupt_comes_at_once() -> None:
    interrupts.prepare()
    with pytest.raises(KeyboardInterrupt):
        exec(compile(IMPORTING, "module.py", "exec"), {})


def test_interrupts_that_are_ignored_stay_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    interrupts.prepare()
    signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
