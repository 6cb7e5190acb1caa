"""A source that a thread of its own reads: a video file, a camera or a network stream."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Iterator
from weakref import WeakSet

from sakedge.errors import SourceError
from sakedge.sources.base import Frame
from sakedge.sources.capture import describe
from sakedge.sources.handoff import Handoff

_PATIENCE = 0.5
"""Seconds that the end of a loop, or of the process, waits for readers to let go of captures."""


class Video:
    """Frames that a thread reads, which alone touches the capture and releases it.

    OpenCV's captures bear no second thread, so closing only says that no more frames are wanted. A
    thread that is stuck in a driver then keeps neither the loop nor the process waiting.

    Args:
        name: As it may be shown.
        read: Hands over frames until there are no more or the handoff is closed; runs in the
            thread.
        inputs: The file that is read, if it is one.
    """

    skipped: tuple[str, ...] = ()

    def __init__(
        self, name: str, read: Callable[[Handoff], None], inputs: tuple[str, ...] = ()
    ) -> None:
        self.inputs = inputs
        self._name = name
        self._read: Callable[[Handoff], None] | None = read
        self._handoff = Handoff()
        self._starting = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"sakedge {name}", daemon=True)

    @property
    def dropped(self) -> int:
        """Frames of a live source that gave way to newer ones."""
        return self._handoff.dropped

    def __iter__(self) -> Iterator[Frame]:
        self._start()
        try:
            while (frame := self._handoff.take(self._thread.is_alive)) is not None:
                yield frame
        finally:
            self.close()
            self.join(_PATIENCE)

    def close(self) -> None:
        """Ends the iteration at once; the thread releases the capture when its read returns."""
        self._handoff.close()
        with self._starting:
            if self._thread.ident is None:
                self._read = None  # and with it an opened file

    def join(self, seconds: float) -> None:
        """Waits so long for the thread to end."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, seconds))

    def _start(self) -> None:
        with self._starting:
            if self._handoff.closed or self._thread.ident is not None:
                return
            _READING.add(self)
            try:
                self._thread.start()
            except RuntimeError as error:
                raise SourceError(
                    f"cannot read {self._name}",
                    expected="a thread to read it with",
                    got=str(error),
                    remedy="Allow this process more threads",
                ) from error

    def _run(self) -> None:
        read, self._read = self._read, None
        try:
            if read is not None:
                read(self._handoff)
        except Exception as error:  # of OpenCV's; the loop must hear of it, not wait
            problem = SourceError(
                f"cannot read {self._name} any further",
                got=describe(error),
                remedy="Check that the file is whole",
            )
            self._handoff.put(Frame(self._name, error=problem))
        finally:
            self._handoff.finish()


_READING: WeakSet[Video] = WeakSet()


@atexit.register
def _stop_reading() -> None:
    """Python takes daemon threads down where they stand, and in OpenCV that aborts the process."""
    deadline = time.monotonic() + _PATIENCE
    for video in list(_READING):
        video.close()
    for video in list(_READING):
        video.join(deadline - time.monotonic())
