"""Video files frame by frame; cameras and network streams newest frame first."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from sakedge.errors import SourceError
from sakedge.images import Picture, read
from sakedge.sources.base import Frame, Source

_TIMEOUT_MS = 10_000
_LONGEST_PAUSE = 10.0


def open_video(source: str | int) -> Source:
    """Opens a video file or URL that ends as a `Recording`, anything else as a `Live` source.

    Raises:
        SourceError: It cannot be opened, or OpenCV is not installed.
    """
    capture = _open(source)
    ends = isinstance(source, str) and capture.get(_cv2().CAP_PROP_FRAME_COUNT) > 0
    return Recording(source, capture) if ends else Live(source, capture)


class Recording:
    """A video that ends: every frame, in order."""

    dropped = 0

    def __init__(self, source: str | int, capture: Any) -> None:
        self.inputs = (source,) if isinstance(source, str) else ()
        self._name = display_name(source)
        self._capture = capture

    def __iter__(self) -> Iterator[Frame]:
        number = 0
        while self._capture.grab():
            yield _frame(f"{self._name}#{number:06d}", *self._capture.retrieve())
            number += 1

    def close(self) -> None:
        """Closes the file."""
        self._capture.release()


class Live:
    """A camera or network stream.

    A thread reads it continuously, so that the frame handed out is the newest; those in between are
    dropped. A lost connection is reported and reopened, at growing intervals, until the source is
    closed.
    """

    inputs = ()

    def __init__(self, source: str | int, capture: Any) -> None:
        self._source = source
        self._name = display_name(source)
        self._capture = capture
        self._news = threading.Condition()
        self._newest: Frame | None = None
        self._errors: deque[Frame] = deque(maxlen=16)
        self._closed = threading.Event()
        self.dropped = 0

    def __iter__(self) -> Iterator[Frame]:
        thread = threading.Thread(target=self._read_on, name=f"sakedge {self._name}", daemon=True)
        thread.start()
        try:
            while True:
                with self._news:
                    self._news.wait_for(
                        lambda: self._errors or self._newest or self._closed.is_set()
                    )
                    if self._closed.is_set():
                        return
                    if self._errors:
                        frame = self._errors.popleft()
                    else:
                        assert self._newest is not None
                        frame, self._newest = self._newest, None
                yield frame
        finally:
            self.close()
            thread.join(timeout=2 * _TIMEOUT_MS / 1000)

    def close(self) -> None:
        """Stops reading; the thread releases the device."""
        self._closed.set()
        with self._news:
            self._news.notify_all()

    def _read_on(self) -> None:
        number = 0
        while not self._closed.is_set():
            if not self._capture.grab():
                self._reopen()
                continue
            frame = _frame(f"{self._name}#{number:06d}", *self._capture.retrieve())
            number += 1
            self._publish(frame)
        self._capture.release()

    def _reopen(self) -> None:
        self._capture.release()
        self._publish(Frame(self._name, error=SourceError(f"lost the connection to {self._name}")))
        pause = 0.5
        while not self._closed.wait(pause):
            try:
                self._capture = _open(self._source)
                return
            except SourceError as error:
                self._publish(Frame(self._name, error=error))
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _publish(self, frame: Frame) -> None:
        with self._news:
            if frame.error is not None:
                self._errors.append(frame)
            else:
                self.dropped += self._newest is not None
                self._newest = frame
            self._news.notify_all()


def display_name(source: str | int) -> str:
    """The address as it may be logged: without user and password."""
    if isinstance(source, int):
        return f"camera {source}"
    parts = urlsplit(source)
    if "://" not in source or "@" not in parts.netloc:
        return source
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _frame(name: str, decoded: bool, image: Any) -> Frame:
    if not decoded:
        return Frame(name, error=SourceError(f"{name} could not be decoded"))
    return Frame(name, Picture(read(image, "bgr").pixels, source=name))


def _open(source: str | int) -> Any:
    cv2 = _cv2()
    name = display_name(source)
    is_file = isinstance(source, str) and "://" not in source
    if isinstance(source, int) or is_file:
        capture = cv2.VideoCapture(source)
    else:
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _TIMEOUT_MS]
        limits += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, _TIMEOUT_MS]
        capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, limits)
    if capture.isOpened():
        return capture
    raise SourceError(
        f"cannot open {name}",
        expected="a video that OpenCV reads" if is_file else "a camera or stream that answers",
        remedy="Check that the file is whole and its codec supported"
        if is_file and Path(name).exists()
        else "Check the address, the cable and whether another program uses it",
    )


def _cv2() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise SourceError(
            "video needs OpenCV, which is not installed",
            remedy='Install it: pip install "sakedge[video]"',
        ) from error
    return cv2
