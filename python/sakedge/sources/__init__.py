"""Where frames come from: folders, globs, lists, video files, cameras and network streams.

A source yields frames and is independent of students. OpenCV is needed for video only.
"""

from __future__ import annotations

from sakedge.sources.base import Frame, Source
from sakedge.sources.opening import open_source
from sakedge.sources.stream import FrameError, OnError, Stream

__all__ = ["Frame", "FrameError", "OnError", "Source", "Stream", "open_source"]
