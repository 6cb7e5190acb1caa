"""OpenCV's captures: how they are opened. The only importer of `cv2`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sakedge.errors import SourceError
from sakedge.images.limits import MAX_PIXELS

TIMEOUT_MS = 10_000
"""How long a network stream may take to answer and to send a frame."""

_TEXT = float(int.from_bytes(b"ansi", "little"))
"""The codec by which FFmpeg draws text files."""

# OpenCV and FFmpeg would write to standard error by themselves, addresses among it. Both are read
# once, when OpenCV is imported and first opens a video; whoever set them keeps them.
_QUIET = {"OPENCV_LOG_LEVEL": "OFF", "OPENCV_FFMPEG_LOGLEVEL": "-8"}


def require_opencv() -> Any:
    """The module `cv2`.

    Raises:
        SourceError: It is not installed.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import cv2
    except ImportError as error:
        raise SourceError(
            "video needs OpenCV, which is not installed",
            remedy='Install it: pip install "sakedge[video]"',
        ) from error
    return cv2


def open_file(path: Path) -> Any | None:
    """A capture of a video file, or None if it is none.

    Raises:
        SourceError: OpenCV is not installed.
    """
    cv2 = require_opencv()
    with _plain_name(path) as name:
        capture = _opened(lambda: cv2.VideoCapture(name, _demuxer(cv2)))
    if capture is not None and capture.get(cv2.CAP_PROP_FOURCC) == _TEXT:
        capture.release()
        return None
    return capture


def open_url(url: str) -> Any | None:
    """A capture of a network stream, or None if it does not answer."""
    cv2 = require_opencv()
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, TIMEOUT_MS]
    limits += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, TIMEOUT_MS]
    return _opened(lambda: cv2.VideoCapture(url, _demuxer(cv2), limits))


def open_camera(camera: int | str) -> Any | None:
    """A capture of a camera by its index or device path, or None if it does not answer."""
    cv2 = require_opencv()
    if isinstance(camera, int):
        return _opened(lambda: cv2.VideoCapture(camera))
    return _opened(lambda: cv2.VideoCapture(camera, cv2.CAP_V4L2))


def announced_frames(capture: Any) -> int | None:
    """How many frames there will be by the header, or None if it does not say.

    Exact in MP4; elsewhere often the duration times the frame rate.
    """
    count = capture.get(require_opencv().CAP_PROP_FRAME_COUNT)
    return round(count) if 0 < count < 2**53 else None


def position(capture: Any) -> float:
    """The time of the frame that was grabbed last, in frames at the nominal rate."""
    cv2 = require_opencv()
    return float(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000 * capture.get(cv2.CAP_PROP_FPS))


def to_rgb(image: Any) -> Any | None:
    """OpenCV's usual image, uint8 BGR [H, W, 3], as RGB; None for another."""
    cv2 = require_opencv()
    if image.ndim == 3 and image.shape[2] == 3 and image.dtype == "uint8":
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    return None


def describe(error: Exception) -> str:
    """An exception of OpenCV's in a few words; without its message where that names an address."""
    message = " ".join(str(error).split())
    return type(error).__name__ + (f": {message}" if message and "://" not in message else "")


def _opened(make: Callable[[], Any]) -> Any | None:
    cv2 = require_opencv()
    capture = make()
    if not capture.isOpened():
        capture.release()
        return None
    width, height = (
        int(capture.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
    )
    if width * height > MAX_PIXELS:
        capture.release()
        raise SourceError(
            "its frames are larger than is safe to decode",
            expected=f"at most {MAX_PIXELS} pixels",
            got=f"{height} x {width} (height x width)",
        )
    return capture


def _demuxer(cv2: Any) -> int:
    """FFmpeg where OpenCV has it: others take names for patterns and pipelines."""
    has_ffmpeg = cv2.videoio_registry.hasBackend(cv2.CAP_FFMPEG)
    return int(cv2.CAP_FFMPEG if has_ffmpeg else cv2.CAP_ANY)


@contextmanager
def _plain_name(path: Path) -> Iterator[str]:
    """A name of the file that FFmpeg takes for nothing but a file, whatever it is called.

    By descriptor nothing in the name counts: `%03d` is no pattern, `.txt` does not make text a
    video, and OpenCV does not die of bytes that are not UTF-8. Where there is no such name, an
    absolute path at least is not read as a URL (`a:b.mp4`).
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        name = Path(f"/proc/self/fd/{descriptor}")
        yield str(name if name.exists() else path.absolute())
    finally:
        os.close(descriptor)
