"""Reads a camera or network stream: the newest frame, for as long as it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sakedge.errors import SourceError
from sakedge.sources.base import Frame
from sakedge.sources.capture import describe
from sakedge.sources.handoff import Handoff
from sakedge.sources.reconnect import Reconnect
from sakedge.sources.recording import read_recording, retrieve


@dataclass(frozen=True)
class Feed:
    """What is opened, and opened again when it is lost.

    Attributes:
        name: As it may be shown.
        open: Returns a capture, or None if it does not answer.
        ends: Whether what was opened is a recording after all; also asked of what cannot be
            opened (None), as no waiting makes a video of a file that is none.
    """

    name: str
    open: Callable[[], Any | None]
    ends: Callable[[Any | None], bool]


class LiveReader:
    """Hands over frames as they come, and each failed attempt to get some.

    Args:
        feed: What is read.
        reconnect: The pauses between attempts.
        handoff: Takes the frames.
    """

    def __init__(self, feed: Feed, reconnect: Reconnect, handoff: Handoff) -> None:
        self._feed = feed
        self._reconnect = reconnect
        self._handoff = handoff
        self._number = 0
        self._is_recording = False
        self._pauses: Iterator[float] = reconnect.pauses()
        self._last_frame = time.monotonic()

    def read(self) -> None:
        """Reads until it is closed, gives up, or has come to a recording's end."""
        while not self._handoff.closed:
            try:
                capture = self._feed.open()
                cause = None
                if capture is None:
                    problem = "cannot open {}"
                    if self._is_no_video():
                        return
                elif self._read_on(capture):
                    return
                else:
                    problem = "lost the connection to {}"
            except Exception as error:  # whatever OpenCV or a driver raises, it may work again
                if self._is_recording:
                    raise
                problem, cause = "cannot read {}", describe(error)
            if not self._handoff.closed and not self._wait(problem, cause):
                return

    def _is_no_video(self) -> bool:
        """Whether what does not open is a file, which is reported."""
        if self._number or not self._feed.ends(None):
            return False
        problem = SourceError(
            f"{self._feed.name} is a file, but not a video",
            expected="a video that OpenCV reads",
            remedy="Check that the file is whole and its codec supported",
        )
        self._handoff.put(Frame(self._feed.name, error=problem))
        return True

    def _read_on(self, capture: Any) -> bool:
        """Reads until the connection is lost; returns whether it was a recording."""
        try:
            self._is_recording = self._number == 0 and self._feed.ends(capture)
            if self._is_recording:
                read_recording(capture, self._feed.name, self._handoff)
                return True
            while not self._handoff.closed and capture.grab():
                self._handoff.put_newest(retrieve(capture, self._feed.name, self._number))
                self._number += 1
                self._last_frame = time.monotonic()
                self._pauses = self._reconnect.pauses()
        finally:
            capture.release()
        return False

    def _wait(self, problem: str, cause: str | None) -> bool:
        """Reports a failure and pauses; returns whether to try again."""
        pause, patience = next(self._pauses), self._reconnect.give_up_after
        if patience is not None:
            pause = min(pause, self._last_frame + patience - time.monotonic())
        goes_on = pause > 0
        error = SourceError(
            problem.format(self._feed.name),
            expected="a camera or stream that answers",
            got=cause,
            remedy="Check the address, the cable and whether another program uses it; "
            + (f"trying again in {pause:.2g} s" if goes_on else "giving up"),
        )
        self._handoff.put_newest(Frame(self._feed.name, error=error))
        if goes_on:
            self._handoff.rest(pause)
        return goes_on
