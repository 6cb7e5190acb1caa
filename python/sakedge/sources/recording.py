"""Reads a video that ends: every frame, in order."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import Any

from sakedge.errors import SourceError
from sakedge.images import Picture, read
from sakedge.sources.base import Frame
from sakedge.sources.capture import announced_frames, describe, open_file, position, to_rgb
from sakedge.sources.ending import Tally
from sakedge.sources.handoff import Handoff
from sakedge.sources.video import Video

_CODEC = "Check that the file is whole and its codec supported"
_DAMAGED_STRETCH = 1000
"""Packets in a row that a file's decoder may refuse before that is taken for the end.

OpenCV says of the end of a file and of a damaged packet the same; but after the packet there is
more to read. At the end, asking costs some microseconds.
"""


def open_recording(path: Path) -> Video:
    """A video file as a source; opened when this returns.

    Raises:
        SourceError: It is no video, or OpenCV is not installed.
    """
    opened: Future[None] = Future()

    def read(handoff: Handoff) -> None:
        try:
            capture = _open(path)
        except Exception as error:
            opened.set_exception(error)
            return
        opened.set_result(None)
        try:
            read_recording(capture, str(path), handoff, path)
        finally:
            capture.release()

    video = Video(str(path), read, (str(path),))
    video.start()
    opened.result()
    return video


def _open(path: Path) -> Any:
    try:
        capture = open_file(path)
    except SourceError as error:
        problem = f"{path} is no image, and {error.problem}"
        raise SourceError(
            problem, expected=error.expected, got=error.got, remedy=error.remedy
        ) from error
    except Exception as error:  # whatever OpenCV raises
        raise SourceError(f"cannot open {path}", got=describe(error), remedy=_CODEC) from error
    if capture is not None:
        return capture
    raise SourceError(
        f"{path} is neither an image nor a video",
        expected="an image that Pillow reads or a video that OpenCV reads",
        remedy=_CODEC,
    )


def read_recording(
    capture: Any, name: str, handoff: Handoff, path: Path | None = None, start: int = 0
) -> None:
    """Hands over each frame, and what could not be read.

    Args:
        capture: Opened; used by this thread alone.
        name: Of the recording, as it may be shown.
        handoff: Takes the frames.
        path: The file, if it is one.
        start: Number of the first frame.
    """
    tally = Tally(announced_frames(capture))
    refused = 0
    while not handoff.closed:
        if not capture.grab():
            refused += 1
            if path is None or refused > _DAMAGED_STRETCH:
                break
            continue
        if refused:
            handoff.put(_undecoded(name, tally.number, refused))
            tally.lost(refused)
            refused = 0
        handoff.put(retrieve(capture, name, tally.number))
        tally.frame(position(capture))
    problem = None if handoff.closed else tally.problem(name, path)
    if problem is not None:
        handoff.put(Frame(name, error=problem))


def retrieve(capture: Any, name: str, number: int) -> Frame:
    """The frame that was grabbed last."""
    name_of_frame = f"{name}#{number:06d}"
    decoded, image = capture.retrieve()
    if not decoded:
        error = SourceError(f"{name_of_frame} could not be decoded", remedy=_CODEC)
        return Frame(name_of_frame, error=error)
    pixels = to_rgb(image)
    if pixels is None:
        pixels = read(image, "bgr").pixels
    return Frame(name_of_frame, Picture(pixels, name_of_frame, number))


def _undecoded(name: str, number: int, count: int) -> Frame:
    frames = f"{count} frames" if count > 1 else "a frame"
    error = SourceError(
        f"{name} is damaged: {frames} could not be decoded",
        got=f"errors at frame {number}",
        remedy="Copy or record it again",
    )
    return Frame(f"{name}#{number:06d}", error=error)
