"""Whether a recording that ended gave all of its frames."""

from __future__ import annotations

import math
from pathlib import Path

from sakedge.errors import SourceError
from sakedge.sources.containers import missing_bytes


class Tally:
    """Counts the frames of a recording and notes their times, to judge it by when it ends.

    Args:
        announced: How many frames its header announces, if it does.
    """

    def __init__(self, announced: int | None) -> None:
        self._announced = announced
        self._count = 0
        self._lost = 0
        self._first = math.inf
        self._last = 0.0
        self._before: float | None = None
        self._step = math.inf

    @property
    def number(self) -> int:
        """The next frame's number."""
        return self._count + self._lost

    def lost(self, frames: int) -> None:
        """Notes frames that could not be decoded, which has been reported."""
        self._lost += frames

    def frame(self, position: float) -> None:
        """Notes a frame.

        Args:
            position: Its time, in frames at the nominal rate; not a number if that is not known.
        """
        self._count += 1
        if not math.isfinite(position):
            return
        if self._before is not None and position > self._before:
            self._step = min(self._step, position - self._before)
        self._before = position
        self._first, self._last = min(self._first, position), max(self._last, position)

    def problem(self, name: str, path: Path | None) -> SourceError | None:
        """What is wrong with the recording as a whole, if anything.

        The bytes that a file's container misses are proof. The number of frames is none: it is
        exact in MP4 only, where an edit list may yet hide some; elsewhere it is the duration, of
        the sound as well, times a rate that variable and interlaced video do not keep. So a
        number that was missed says something only where the times of the frames agree: in a file
        whose container is whole, where there are gaps between them as long as what is missing; in
        one whose container says nothing, and over a network, where the last is too early. One
        tenth, and two frames, are left to inexact headers.

        Args:
            name: Of the recording, for the message.
            path: The file, if it is one.
        """
        if not self.number:
            return SourceError(f"{name} has no frames", expected="at least one")
        missing = None if path is None else missing_bytes(path)
        if missing:
            return SourceError(
                f"{name} is cut off: {missing} bytes are missing at its end",
                expected="a whole recording" if self._announced is None else self._frames(),
                got=f"{self._count}",
                remedy="Copy or record it again",
            )
        if self._announced is None:
            return None
        short = self._announced - self.number
        if missing is None:
            short = min(short, self._announced - round(self._last) - 1)
        else:
            short = min(short, self._gaps())
        if short <= 2 + self._announced // 10:
            return None
        return SourceError(
            f"{name} gave fewer frames than it announces",
            expected=self._frames(),
            got=f"{self._count}",
            remedy="It was cut off or is damaged; copy or record it again",
        )

    def _frames(self) -> str:
        return f"{self._announced} frames"

    def _gaps(self) -> int:
        """Frames that would fill the gaps in time."""
        if not math.isfinite(self._step):
            return 0
        return round((self._last - self._first) / self._step) + 1 - self._count
