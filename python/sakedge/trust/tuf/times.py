"""Times as metadata state them: UTC, whole seconds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import TypeAlias

from sakedge.errors import OptionError, shown

Clock: TypeAlias = Callable[[], datetime]
"""Tells the time of now, with its time zone."""

_LAST_YEAR = 9000
"""What expires later has no date any more."""
_FORM = "%Y-%m-%dT%H:%M:%SZ"
EARLIEST = datetime(1970, 1, 1, tzinfo=timezone.utc)


def utc_now() -> datetime:
    """What this machine's clock says."""
    return datetime.now(timezone.utc)


def read_clock(clock: Clock) -> datetime:
    """What a clock says, in UTC and whole seconds.

    Raises:
        OptionError: It is no clock, or its time has no time zone.
    """
    now = clock() if callable(clock) else clock
    if isinstance(now, datetime) and now.tzinfo is not None and 1 < now.year < _LAST_YEAR:
        return now.astimezone(timezone.utc).replace(microsecond=0)
    raise OptionError("no clock", expected="a function to a time with a zone", got=shown(now))


def to_text(time: datetime) -> str:
    """E.g. `2026-11-26T04:30:00Z`."""
    # Not strftime: on Linux it writes the year 999 with three digits.
    return f"{time.astimezone(timezone.utc).replace(tzinfo=None, microsecond=0).isoformat()}Z"


def from_text(text: str) -> datetime:
    """The time that `to_text` wrote.

    Raises:
        ValueError: It is no such text.
    """
    return datetime.strptime(text, _FORM).replace(tzinfo=timezone.utc)
