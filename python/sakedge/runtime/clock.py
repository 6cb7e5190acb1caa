"""Milliseconds by stage."""

from __future__ import annotations

import time
from collections.abc import Mapping


class Clock:
    """Measures from its creation on. Stages appear in the order in which they are named here."""

    def __init__(self, *stages: str) -> None:
        self._last = time.perf_counter()
        self._spent = dict.fromkeys(stages, 0.0)

    def lap(self, stage: str) -> None:
        """Adds the time since the last lap to a stage."""
        now = time.perf_counter()
        self._spent[stage] += 1000 * (now - self._last)
        self._last = now

    def divide(self, known: Mapping[str, float], *, rest: str) -> None:
        """Divides the time since the last lap among stages: what is known, and the rest.

        The stage of the rest comes last where it was not named.
        """
        self._spent.setdefault(rest, 0.0)
        self.lap(rest)
        for stage, ms in known.items():
            if stage != rest:
                self._spent[stage] += ms
                self._spent[rest] -= ms

    def share(self, images: int = 1) -> dict[str, float]:
        """One image's even share."""
        return {stage: spent / images for stage, spent in self._spent.items()}
