"""Watches how much memory a process takes while a block runs."""

from __future__ import annotations

import threading
from types import TracebackType

from sakedge.peers.types import Memory
from sakedge.runtime import machine

_PERIOD = 0.004
"""Seconds between two samples. One takes some 30 µs, and none is taken while a call is timed."""


class MemoryWatch:
    """Samples the process's own memory in a thread; the system itself keeps the resident peak."""

    def __init__(self) -> None:
        self._most: int | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()
        self._look()

    @property
    def memory(self) -> Memory:
        """The peaks so far."""
        return Memory(machine.peak_resident(), self._most)

    def _watch(self) -> None:
        while not self._done.wait(_PERIOD):
            self._look()

    def _look(self) -> None:
        now = machine.anonymous()
        if now is not None:
            self._most = max(now, self._most or 0)
