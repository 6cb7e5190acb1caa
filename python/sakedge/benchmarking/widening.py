"""A ratio of times, widened by what others that ran meanwhile may have cost.

Of each round it is known how large a share of its time others can have taken at most. What it would
have measured alone lies between that and what it did measure; the interval holds every ratio that
some such values would have given. On a machine that does nothing else it stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sakedge.benchmarking.ranks import Interval, ratio

_LEAST = 1e-3
"""Of a time that others can have cost almost all of."""


@dataclass(frozen=True)
class Side:
    """One side's rounds.

    Attributes:
        values: What each measured.
        shares: Of each the largest share of its time that others can have cost, 0 to 1.
        is_rate: Whether a value is so much in a time, and not a time.
    """

    values: Sequence[float]
    shares: Sequence[float]
    is_rate: bool = False

    @property
    def alone(self) -> list[float]:
        """What each would have measured if others cost all that they can have."""
        kept = [max(1 - share, _LEAST) for share in self.shares]
        pairs = zip(self.values, kept, strict=True)
        return [value / part if self.is_rate else value * part for value, part in pairs]


def ratios(before: Side, after: Side, level: float) -> tuple[Interval, Interval] | None:
    """`after` over `before`: by the rounds as they were measured, and widened.

    Returns:
        None where there are too few rounds.
    """
    plain = ratio(before.values, after.values, level)
    if plain is None:
        return None
    extremes = [ratio(before.values, after.alone, level), ratio(before.alone, after.values, level)]
    ends = [end for each in extremes if each is not None for end in (each.low, each.high)]
    return plain, Interval(plain.value, min(plain.low, *ends), max(plain.high, *ends))


def leaves_out_one(interval: Interval) -> bool:
    """Whether the two differ by more than noise."""
    return not interval.low <= 1 <= interval.high
