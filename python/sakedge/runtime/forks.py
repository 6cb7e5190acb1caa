"""A student does not survive a fork: the threads of its runtimes stay behind in the parent."""

from __future__ import annotations

import ctypes
import os
import weakref

from sakedge.errors import ForkError

_guards: weakref.WeakSet[ForkGuard] = weakref.WeakSet()

_keep_forever = ctypes.pythonapi.Py_IncRef
_keep_forever.argtypes = [ctypes.py_object]
_keep_forever.restype = None


class ForkGuard:
    """Guards something that only works in the process that created it.

    In a forked child it is never destroyed: its destructor would wait for threads that do not
    exist.
    """

    def __init__(self, held: object) -> None:
        self._held = weakref.ref(held)
        self._home = os.getpid()
        _guards.add(self)

    def check(self) -> None:
        """Raises ForkError in any other process than the one that loaded the student."""
        if os.getpid() != self._home:
            raise ForkError(
                "the student was loaded before this process was forked",
                expected=f"use in process {self._home}",
                got=f"use in process {os.getpid()}",
                remedy="Load it after the fork, or start processes with "
                'multiprocessing.get_context("spawn")',
            )


def _after_fork_in_child() -> None:
    for guard in list(_guards):
        held = guard._held()
        if held is not None:
            _keep_forever(held)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
