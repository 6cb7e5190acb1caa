"""Streams: what a source means, all frames of a file, the newest of a camera, skipped bad ones."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from sakedge.errors import ImageError, OptionError, SourceError, UnknownTaskError
from sakedge.images import Picture
from sakedge.sources import FrameError, Stream, open_source
from sakedge.sources.address import display_name
from sakedge.sources.video import Video


def _write_images(folder: Path, names: list[str]) -> None:
    for i, name in enumerate(names):
        Image.new("RGB", (4, 4), (i, i, i)).save(folder / name)


def _names(source: object) -> list[str]:
    return [Path(frame.name).name for frame in open_source(source)]  # type: ignore[arg-type]


def test_a_folder_yields_its_images_sorted(tmp_path: Path) -> None:
    _write_images(tmp_path, ["b.png", "a.jpg", "c.TIF"])
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "below").mkdir()
    assert _names(tmp_path) == ["a.jpg", "b.png", "c.TIF"]


def test_a_glob_an_image_and_a_list_are_sources(tmp_path: Path) -> None:
    _write_images(tmp_path, ["a.png", "b.png", "c.jpg"])
    assert _names(str(tmp_path / "*.png")) == ["a.png", "b.png"]
    assert _names(str(tmp_path / "**" / "[bc].*")) == ["b.png", "c.jpg"]
    assert _names(tmp_path / "c.jpg") == ["c.jpg"]
    assert _names([tmp_path / "b.png", np.zeros((2, 2, 3), np.uint8)]) == ["b.png", "image#000001"]


@pytest.mark.parametrize("source", ["gone/", "gone.mp4", "*.gone", [], "."])
def test_nothing_to_read_is_an_error(
    source: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError):
        open_source(source)  # type: ignore[arg-type]


def test_a_file_that_is_no_video_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "noise.mp4"
    path.write_bytes(b"no video" * 100)
    with pytest.raises(SourceError, match="cannot open"):
        open_source(path)


def test_passwords_do_not_reach_names() -> None:
    assert display_name("rtsp://me:secret@cam3:554/main?x=1") == "rtsp://cam3:554/main?x=1"
    assert display_name("clips/a@b.mp4") == "clips/a@b.mp4"
    assert display_name(0) == "camera 0"


def _write_video(path: Path, frames: int) -> None:
    """Frame i is grey of level 8 i."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (32, 16))
    for i in range(frames):
        writer.write(np.full((16, 32, 3), 8 * i, np.uint8))
    writer.release()


def _number(picture: Picture | None) -> int:
    assert picture is not None
    return round(float(picture.pixels.mean()) / 8)


def test_a_video_yields_every_frame(tmp_path: Path) -> None:
    _write_video(tmp_path / "line.avi", 20)
    source = open_source(tmp_path / "line.avi")
    assert isinstance(source, Video)
    frames = list(source)
    assert [_number(frame.picture) for frame in frames] == list(range(20))
    assert Path(frames[7].name).name == "line.avi#000007"


@pytest.fixture
def camera() -> Iterator[str]:
    """The address of a network camera: motion JPEG over HTTP, a hundred frames a second.

    After frame 25 it closes the connection, once, like a camera whose cable was pulled.
    """
    hung_up = threading.Event()

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            try:
                for i in itertools.count():
                    if i == 25 and not hung_up.is_set():
                        hung_up.set()
                        return
                    image = np.full((16, 32, 3), 8 * (i % 26), np.uint8)
                    jpeg = cv2.imencode(".jpg", image)[1].tobytes()
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n"
                    self.wfile.write(f"{head}\r\n".encode() + jpeg + b"\r\n")
                    time.sleep(0.01)
            except OSError:
                pass  # the reader closed the connection

        def log_message(self, *_: object) -> None:
            pass

    with _serving(Camera) as server:
        yield f"http://127.0.0.1:{server.server_port}/stream.mjpg"


class _serving:  # noqa: N801
    def __init__(self, handler: object) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)  # type: ignore[arg-type]
        self._server.daemon_threads = True

    def __enter__(self) -> ThreadingHTTPServer:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self._server

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def test_a_camera_yields_the_newest_frame_and_survives_a_lost_connection(camera: str) -> None:
    source = open_source(camera)
    assert isinstance(source, Video)
    stream = Stream(source, lambda pictures: pictures)
    seen = 0
    with stream:
        for _ in stream:
            seen += 1
            time.sleep(0.1)  # slower than the camera
            if stream.error_count and seen > 5:
                break
    assert stream.dropped > seen
    assert "lost the connection" in str(stream.errors[0].error)
    assert not [t for t in threading.enumerate() if t.name.startswith("sakedge ")]


def test_a_video_served_over_http_is_a_recording(tmp_path: Path) -> None:
    _write_video(tmp_path / "line.avi", 5)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with _serving(partial(Quiet, directory=str(tmp_path))) as server:
        source = open_source(f"http://127.0.0.1:{server.server_port}/line.avi")
        assert len(list(source)) == 5


def _images_and_one_bad(folder: Path) -> None:
    _write_images(folder, [f"{i}.png" for i in range(5)])
    (folder / "2.png").write_bytes(b"\x89PNG\r\n\x1a\n then nothing")


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_a_bad_frame_is_reported_and_the_stream_goes_on(
    batch: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _images_and_one_bad(tmp_path)
    stream = Stream(open_source(tmp_path), lambda pictures: pictures, batch)
    with caplog.at_level(logging.WARNING, "sakedge"):
        assert [int(p.pixels[0, 0, 0]) for p in stream] == [0, 1, 3, 4]
    assert stream.error_count == 1
    assert isinstance(stream.errors[0].error, ImageError)
    assert "2.png" in caplog.text


def test_a_frame_that_will_not_fit_takes_no_other_with_it(tmp_path: Path) -> None:
    _write_images(tmp_path, [f"{i}.png" for i in range(5)])

    def run(pictures: list[Picture]) -> list[int | ImageError]:
        levels = [int(p.pixels[0, 0, 0]) for p in pictures]
        return [ImageError("too large") if level == 3 else level for level in levels]

    stream = Stream(open_source(tmp_path), run, batch=5)
    assert list(stream) == [0, 1, 2, 4]
    assert Path(stream.errors[0].source).name == "3.png"


def test_errors_can_be_raised_or_handed_over(tmp_path: Path) -> None:
    _images_and_one_bad(tmp_path)
    with pytest.raises(ImageError):
        list(Stream(open_source(tmp_path), lambda pictures: pictures, on_error="raise"))
    seen: list[FrameError] = []
    list(Stream(open_source(tmp_path), lambda pictures: pictures, on_error=seen.append))
    assert [Path(e.source).name for e in seen] == ["2.png"]


def test_an_error_of_the_student_ends_the_stream(tmp_path: Path) -> None:
    _write_images(tmp_path, ["a.png"])

    def run(pictures: list[Picture]) -> list[int]:
        raise UnknownTaskError("no such task")

    with pytest.raises(UnknownTaskError):
        list(Stream(open_source(tmp_path), run))


def test_wrong_options_are_refused(tmp_path: Path) -> None:
    _write_images(tmp_path, ["a.png"])
    for options in ({"batch": 0}, {"on_error": "ignore"}):
        with pytest.raises(OptionError):
            Stream(open_source(tmp_path), list, **options)  # type: ignore[arg-type]
