"""What is measured, and how often."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sakedge.arguments import in_range
from sakedge.errors import OptionError, shown

_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
_SHORTEST, _LONGEST = 0.001, 60.0
"""Seconds of a pause."""
_MOST_STREAMS, _MOST_ROUNDS = 256, 200


@dataclass(frozen=True)
class Plan:
    """How to measure.

    Attributes:
        batch: Images in one call.
        streams: Numbers of callers at once; 1 is always measured.
        intervals: Pauses before calls, seconds.
        rounds: Fresh processes.
        iterations: Calls of each caller in each process; None goes by `duration`.
        duration: Seconds in each process for each number of callers and each pause.
        warmup: Calls in each process that are not measured.
    """

    batch: int = 1
    streams: tuple[int, ...] = (1,)
    intervals: tuple[float, ...] = ()
    rounds: int = 5
    iterations: int | None = None
    duration: float = 2.0
    warmup: int = 3

    def checked(self) -> Plan:
        """Itself, with 1 among its streams and everything once and in order.

        Raises:
            OptionError: A number is out of range.
        """
        in_range("batch", self.batch, low=1, whole=True)
        in_range("rounds", self.rounds, low=1, high=_MOST_ROUNDS, whole=True)
        in_range("duration", self.duration, above=0)
        in_range("warmup", self.warmup, low=0, whole=True)
        if self.iterations is not None:
            in_range("iterations", self.iterations, low=1, whole=True)
        for each in self.streams:
            in_range("streams", each, low=1, high=_MOST_STREAMS, whole=True)
        for pause in self.intervals:
            in_range("interval", pause, low=_SHORTEST, high=_LONGEST)
        return Plan(
            self.batch,
            tuple(sorted({1, *self.streams})),
            tuple(sorted(set(self.intervals))),
            self.rounds,
            self.iterations,
            self.duration,
            self.warmup,
        )


def numbers_of(text: str) -> tuple[int, ...]:
    """`1,2,4` as numbers.

    Raises:
        OptionError: It is no list of whole numbers.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch(r"[0-9]{1,6}", part) for part in parts):
        raise OptionError("no list of numbers", expected="e.g. 1,2,4", got=shown(text))
    return tuple(int(part) for part in parts)


def pauses_of(text: str) -> tuple[float, ...]:
    """`10ms,1s` in seconds.

    Raises:
        OptionError: It is no list of times.
    """
    return tuple(_pause(part.strip()) for part in text.split(","))


def pause_text(seconds: float) -> str:
    """Seconds as people write a pause: `10 ms`, `1 s`."""
    return f"{seconds:g} s" if seconds >= 1 else f"{1000 * seconds:g} ms"


def _pause(text: str) -> float:
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(us|ms|s)", text)
    if found is None:
        raise OptionError("no pause", expected="e.g. 10ms or 1s", got=shown(text))
    return float(found[1]) * _UNITS[found[2]]
