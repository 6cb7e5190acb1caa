"""Cameras and network streams as sources. None is opened before its frames are wanted."""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path
from typing import Any

from sakedge.errors import SourceError
from sakedge.sources.address import check_url, display_name
from sakedge.sources.capture import announced_frames, open_camera, open_url, require_opencv
from sakedge.sources.handoff import Handoff
from sakedge.sources.http import is_file
from sakedge.sources.live import Feed, LiveReader
from sakedge.sources.reconnect import Reconnect
from sakedge.sources.video import Video

_MOST_CAMERAS = 100
"""OpenCV takes an index from here on for something else."""
_VIDEO4LINUX = 81
"""The major number of Linux's camera devices."""


def is_camera(path: str) -> bool:
    """Whether this is the device of a camera, or would be, were it plugged in."""
    try:
        return os.major(Path(path).stat().st_rdev) == _VIDEO4LINUX
    except OSError:
        return bool(re.fullmatch(r"/dev/(video\d+|v4l/by-(id|path)/[^/]+)", path))


def camera(device: int | str, reconnect: Reconnect) -> Video:
    """A camera by its index or device.

    Raises:
        SourceError: There is no such index, or OpenCV is not installed.
    """
    if isinstance(device, int) and not 0 <= device < _MOST_CAMERAS:
        raise SourceError(
            "no camera has this index",
            expected=f"0 to {_MOST_CAMERAS - 1}",
            got=str(device) if abs(device) < 10**9 else "a larger number",
        )
    name = f"camera {device}" if isinstance(device, int) else device
    require_opencv()
    return _video(Feed(name, partial(open_camera, device), lambda _: False), reconnect)


def stream(url: str, reconnect: Reconnect) -> Video:
    """A network stream, or a recording behind an address.

    It is a recording if it announces how many frames it has or how long it is, or if its server
    says that it is a file.

    Raises:
        SourceError: The URL is malformed, or OpenCV is not installed.
    """
    check_url(url)
    require_opencv()

    def ends(capture: Any | None) -> bool:
        if capture is not None and announced_frames(capture) is not None:
            return True
        return url.lower().startswith("http") and is_file(url)

    return _video(Feed(display_name(url), partial(open_url, url), ends), reconnect)


def _video(feed: Feed, reconnect: Reconnect) -> Video:
    def read(handoff: Handoff) -> None:
        LiveReader(feed, reconnect, handoff).read()

    return Video(feed.name, read)
