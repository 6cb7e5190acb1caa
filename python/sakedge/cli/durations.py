"""`--every 6h`: a time as people write it."""

from __future__ import annotations

import re

from sakedge.errors import OptionError, shown

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = 366 * 86400.0


def seconds_of(text: str) -> float:
    """Seconds of a number with a unit: s, m, h or d.

    Raises:
        OptionError: It is none, is 0, or is more than a year.
    """
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([smhd])", text.strip())
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
    if not 0 < seconds <= _LONGEST:
        raise OptionError(
            "no time between measurements",
            expected="a number of s, m, h or d, such as 30m, up to a year",
            got=shown(text),
        )
    return seconds
