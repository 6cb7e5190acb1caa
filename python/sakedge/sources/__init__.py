"""Where frames come from: folders, globs, lists, video files, cameras and network streams.

A source yields frames and is independent of students. OpenCV is needed for video only, and only
`capture.py` speaks to it.
"""

from __future__ import annotations

from sakedge.sources.base import Frame, Source
from sakedge.sources.files import name_some
from sakedge.sources.opening import SourceLike, open_source
from sakedge.sources.reconnect import Reconnect
from sakedge.sources.stream import FrameError, OnError, Stream

__all__ = [
    "Frame",
    "FrameError",
    "OnError",
    "Reconnect",
    "Source",
    "SourceLike",
    "Stream",
    "name_some",
    "open_source",
]
