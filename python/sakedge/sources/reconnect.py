"""How often a camera or stream that does not answer is tried again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sakedge.arguments import in_range


@dataclass(frozen=True)
class Reconnect:
    """Pauses between attempts to open a camera or network stream.

    The first is `first` seconds long and each is twice the one before, up to `longest`. A frame
    that arrives sets them back.

    Attributes:
        first: Seconds of the first pause, greater than 0.
        longest: Seconds of the longest pause.
        give_up_after: Seconds without a frame after which the stream ends, counted from its start
            or from the last frame; 0 is at the first failure, None is never.
    """

    first: float = 0.5
    longest: float = 10.0
    give_up_after: float | None = None

    def __post_init__(self) -> None:
        """Checks the ranges.

        Raises:
            OptionError: A value is out of range.
        """
        in_range("reconnect.first", self.first, above=0, high=_DAY)
        in_range("reconnect.longest", self.longest, low=self.first, high=_DAY)
        if self.give_up_after is not None:
            in_range("reconnect.give_up_after", self.give_up_after, low=0)

    def pauses(self) -> Iterator[float]:
        """The pauses one after the other, without end, in seconds."""
        pause = self.first
        while True:
            yield pause
            pause = min(2 * pause, self.longest)


_DAY = 86400
