"""Short videos and servers of them, for tests of sources."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from sakedge.images import Picture

SIZE = (64, 48)
STEP = 8
_NOISE = np.random.default_rng(0).integers(-3, 4, (SIZE[1], SIZE[0], 3))


def grey(number: int) -> NDArray[np.uint8]:
    """What frame `number` looks like: grey of its level, and noise, so that it takes some bytes."""
    noise = np.roll(_NOISE, 7 * number, axis=0)
    return np.clip(STEP * (number % 32) + noise, 0, 255).astype(np.uint8)


def number_of(picture: Picture | None) -> int:
    """Which frame a picture is, up to 31."""
    assert picture is not None
    return round(float(picture.pixels.mean()) / STEP)


def write_video(path: Path, frames: int, codec: str = "MJPG") -> None:
    """Writes frames 0 to `frames` - 1 into whatever container the suffix says."""
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), 25, SIZE)
    assert writer.isOpened()
    for i in range(frames):
        writer.write(grey(i))
    writer.release()


def motion_jpeg(frames: int) -> bytes:
    """Frames as JPEG images in a row, which say nothing of their number."""
    return b"".join(cv2.imencode(".jpg", grey(i))[1].tobytes() for i in range(frames))


Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(answer: Answer, head: Answer | None = None, port: int = 0) -> Iterator[int]:
    """Serves GET, and HEAD if it is given, on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(OSError):  # the reader closed the connection
                answer(self)

        def log_message(self, *_: object) -> None:
            pass

    if head is not None:
        Handler.do_HEAD = head  # type: ignore[attr-defined]
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    ).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def send_camera(handler: BaseHTTPRequestHandler, frames: int | None = None) -> None:
    """Motion JPEG as a camera sends it, a hundred frames a second, without end or so many."""
    handler.send_response(200)
    handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
    handler.end_headers()
    for i in itertools.count() if frames is None else range(frames):
        jpeg = cv2.imencode(".jpg", grey(i))[1].tobytes()
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        handler.wfile.write(head.encode() + jpeg + b"\r\n")
        time.sleep(0.01)


def send_file(content: bytes, kind: str = "video/mp4", length: int | None = None) -> Answer:
    """Answers with a file; with a `length` other than its own it breaks off."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(content) if length is None else length))
        handler.end_headers()
        if handler.command == "GET":
            handler.wfile.write(content)

    return answer
