"""A share of the process's CPU time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Budget:
    """Says when work may be done that is to take no more than a share of the process's CPU time.

    Runtimes compute in threads of their own, so that what a piece of work takes cannot be told from
    what others take meanwhile: all that the process takes while it lasts is put down to it. That is
    an upper bound, and the budget holds all the more.

    Args:
        share: Of the CPU time of the process since now.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._begin = time.process_time()
        self._spent = 0.0
        self._pieces = 0

    @property
    def spent(self) -> float:
        """The share that the work took at most."""
        total = time.process_time() - self._begin
        return self._spent / total if total > 0 else 0.0

    def allows(self) -> bool:
        """Whether one more piece, if it is like those before, stays within the share."""
        if not self._pieces:
            return True
        piece = self._spent / self._pieces
        total = time.process_time() - self._begin
        return self._spent + piece <= self._share * (total + piece)

    @contextmanager
    def piece(self) -> Iterator[None]:
        """Measures a piece of work."""
        begin = time.process_time()
        try:
            yield
        finally:
            self._spent += time.process_time() - begin
            self._pieces += 1
