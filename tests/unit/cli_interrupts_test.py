"""Ctrl-C while modules are imported."""

from __future__ import annotations

import signal
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
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_inside_the_import_system_comes_a_moment_later() -> None:
    interrupts.prepare()
    exec(compile(IMPORTING, "<frozen importlib._bootstrap>", "exec"), {})
    with pytest.raises(KeyboardInterrupt):
        time.sleep(30)


def test_any_other_interrupt_comes_at_once() -> None:
    interrupts.prepare()
    with pytest.raises(KeyboardInterrupt):
        exec(compile(IMPORTING, "module.py", "exec"), {})


def test_interrupts_that_are_ignored_stay_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    interrupts.prepare()
    signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
