"""Leaves the interpreter cleanly while threads compute.

A thread that comes back from native code finds the interpreter gone and is ended where it stands,
in the middle of C++ frames, which aborts the process. So at exit the computing threads finish their
step, and those that would begin another wait for the end of the process. Only daemon threads can
be computing then: Python has joined all others before, and the main thread is what exits. That one
is not counted: an interrupt may come between any two of its instructions, and leave a count behind.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LONGEST = 60.0
"""Seconds that a step may take at exit: a device that has hung must not keep the process."""

_changed = threading.Condition()
_computing = 0
_exiting = False


class _Depth(threading.local):
    """How deep in steps a thread is: 0 or 1."""

    steps = 0


_depth = _Depth()


@contextmanager
def native() -> Iterator[None]:
    """Marks a step in native code: one run, or the making of something to be run.

    A step within a step is a part of it.
    """
    global _computing
    if _depth.steps or threading.current_thread() is threading.main_thread():
        yield
        return
    with _changed:
        while _exiting:
            _changed.wait()
        _computing += 1
    _depth.steps = 1
    try:
        yield
    finally:
        _depth.steps = 0
        with _changed:
            _computing -= 1
            _changed.notify_all()


def _wait_for_steps() -> None:
    global _exiting
    with _changed:
        _exiting = True
        _changed.wait_for(lambda: not _computing, timeout=_LONGEST)


def _forget_steps() -> None:
    """In a forked child, whose other threads are gone."""
    global _changed, _computing
    _changed, _computing = threading.Condition(), 0
    _depth.steps = 0


atexit.register(_wait_for_steps)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_steps)
