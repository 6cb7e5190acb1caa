"""Milliseconds by stage."""

from __future__ import annotations

import time


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

    def share(self, images: int = 1) -> dict[str, float]:
        """One image's even share."""
        return {stage: spent / images for stage, spent in self._spent.items()}
