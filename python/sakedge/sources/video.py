"""A source that a thread of its own reads: a video file, a camera or a network stream."""

from __future__ import annotations

import atexit
import threading
import time
import weakref
from collections.abc import Callable, Iterator

from sakedge.errors import SakedgeError, SourceError
from sakedge.sources.base import Frame
from sakedge.sources.capture import describe
from sakedge.sources.handoff import Handoff

Read = Callable[[Handoff], None]
"""Hands over frames until there are no more or the handoff is closed."""

_PATIENCE = 0.5
"""Seconds that the end of a loop, or of the process, waits for readers to let go of captures."""


class Video:
    """Frames that a thread reads, which alone opens, reads and releases the capture.

    OpenCV's captures bear no second thread, so closing only says that no more frames are wanted. A
    thread that is stuck in a driver then keeps neither the loop nor the process waiting.

    Args:
        name: As it may be shown.
        read: Reads the frames; runs in the thread.
        inputs: The file that is read, if it is one.

    Attributes:
        on_wait: As of a `Waiting` source.
    """

    skipped: tuple[str, ...] = ()

    def __init__(self, name: str, read: Read, inputs: tuple[str, ...] = ()) -> None:
        self.inputs = inputs
        self.on_wait: Callable[[], object] = lambda: None
        self._name = name
        self._handoff = Handoff()
        self._thread = threading.Thread(
            target=_run, args=(name, read, self._handoff), name=f"sakedge {name}", daemon=True
        )
        # The thread does not keep the source alive: one that is forgotten is closed.
        weakref.finalize(self, self._handoff.close)

    @property
    def dropped(self) -> int:
        """Frames of a live source that gave way to newer ones."""
        return self._handoff.dropped

    def __iter__(self) -> Iterator[Frame]:
        self.start()
        try:
            while (frame := self._handoff.take(self._thread.is_alive, self.on_wait)) is not None:
                yield frame
        finally:
            self.close()
            if self._thread.ident is not None:
                self._thread.join(_PATIENCE)

    def start(self) -> None:
        """Starts reading, if it was not started before.

        Raises:
            SourceError: No thread can be started.
        """
        with _STARTING:
            if self._handoff.closed or self._thread.ident is not None:
                return
            try:
                if _ENDING.is_set():
                    raise RuntimeError("the process is ending")
                self._thread.start()
            except RuntimeError as error:
                raise SourceError(
                    f"cannot read {self._name}",
                    expected="a thread to read it with",
                    got=str(error),
                    remedy="Allow this process more threads",
                ) from error
            _READING[self._thread] = self._handoff

    def close(self) -> None:
        """Ends the iteration at once; the thread releases the capture when its read returns."""
        self._handoff.close()


def _run(name: str, read: Read, handoff: Handoff) -> None:
    try:
        read(handoff)
    except SakedgeError as error:
        handoff.put(Frame(name, error=error))
    except Exception as error:  # of OpenCV's; the loop must hear of it, not wait
        problem = SourceError(
            f"cannot read {name} any further",
            got=describe(error),
            remedy="Check that the file is whole",
        )
        handoff.put(Frame(name, error=problem))
    finally:
        handoff.finish()


_READING: weakref.WeakKeyDictionary[threading.Thread, Handoff] = weakref.WeakKeyDictionary()
_STARTING = threading.Lock()
_ENDING = threading.Event()


@atexit.register
def _stop_reading() -> None:
    """Python takes daemon threads down where they stand, and in OpenCV that aborts the process."""
    with _STARTING:
        _ENDING.set()
        reading = list(_READING.items())
    deadline = time.monotonic() + _PATIENCE
    for _, handoff in reading:
        handoff.close()
    for thread, _ in reading:
        thread.join(max(0.0, deadline - time.monotonic()))
