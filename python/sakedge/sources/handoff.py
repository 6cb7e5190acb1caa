"""What a thread that reads frames and the loop that uses them share."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from sakedge.sources.base import Frame

_READ_AHEAD = 2
"""Frames of a recording that are decoded before they are wanted: one while another is in use."""
_MOST_ERRORS = 16
"""Of a camera that keeps failing while nobody takes its frames."""
_LOOK = 0.5
"""Seconds between looks at whether the reader still lives; on Windows also at Ctrl-C."""
SILENCE = 45.0
"""Seconds without a frame or a failure after which a reader is stuck: opening a stream and reading
from it time out after ten each, and so does a camera's driver."""


class Handoff:
    """Frames on their way from the thread that reads to the one that uses them, in order.

    Attributes:
        dropped: Frames that gave way to newer ones.
        closed: Whether nobody wants more frames.
    """

    def __init__(self) -> None:
        # A thread may take the lock that it has: Python closes a forgotten source, or handles a
        # signal, in the middle of anything.
        self._news = threading.Condition(threading.RLock())
        self._frames: deque[Frame] = deque()
        self._finished = False
        self._resting = False
        self._sign = time.monotonic()
        self.closed = False
        self.dropped = 0

    @property
    def gives_signs(self) -> bool:
        """Whether the reader is heard of: it gave a frame or failed lately, or it rests."""
        return self._resting or time.monotonic() - self._sign < SILENCE

    def close(self) -> None:
        """Says that no more frames are wanted; both sides stop waiting at once."""
        self.closed = True
        with self._news:
            self._news.notify_all()

    def rest(self, seconds: float) -> None:
        """Waits that long, or until it is closed."""
        with self._news:
            self._resting = True
            self._news.wait_for(lambda: self.closed, seconds)
            self._resting, self._sign = False, time.monotonic()

    def finish(self) -> None:
        """Says that no more frames will come."""
        with self._news:
            self._finished = True
            self._news.notify_all()

    def put(self, frame: Frame) -> None:
        """Hands over a frame that must not be lost; waits for room."""
        with self._news:
            self._news.wait_for(lambda: len(self._frames) < _READ_AHEAD or self.closed)
            self._add(frame)

    def put_newest(self, frame: Frame) -> None:
        """Hands over a frame in place of the one before, if that has not been taken yet."""
        with self._news:
            if frame.error is None:
                outdated = [old for old in self._frames if old.error is None]
                self.dropped += len(outdated)
                self._frames = deque(old for old in self._frames if old.error is not None)
            while len(self._frames) >= _MOST_ERRORS:
                self._frames.popleft()
            self._add(frame)

    def _add(self, frame: Frame) -> None:
        self._sign = time.monotonic()
        if not self.closed:
            self._frames.append(frame)
            self._news.notify_all()

    def take(self, is_alive: Callable[[], bool], on_wait: Callable[[], object]) -> Frame | None:
        """The next frame; waits for it while the reader is alive. None when there are no more.

        Args:
            is_alive: Whether the reader's thread is.
            on_wait: Called again and again meanwhile, while the reader gives signs of life.
        """
        with self._news:
            while not self.closed:
                if self._frames:
                    frame = self._frames.popleft()
                    self._news.notify_all()
                    return frame
                if self._finished or not is_alive():
                    return None
                if self.gives_signs:
                    on_wait()
                self._news.wait(_LOOK)
        return None
