"""Cameras and network streams: the newest frame, waited for as long as the user likes."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest
from tests.support.videos import motion_jpeg, send_camera, send_file, serving, write_video

from sakedge.errors import OptionError, SourceError
from sakedge.images import Picture
from sakedge.sources import FrameError, Reconnect, Stream, open_source
from sakedge.sources.base import Frame
from sakedge.sources.handoff import Handoff

QUICK = Reconnect(first=0.05, longest=0.1)
BOUND = 20
"""Seconds after which a test that would wait for ever fails."""


def _pictures(source: object, reconnect: Reconnect = QUICK) -> Stream[Picture]:
    opened = open_source(source, reconnect)  # type: ignore[arg-type]
    return Stream(opened, lambda pictures: list(pictures))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("sakedge ")]


@pytest.mark.timeout(60)
def test_a_camera_yields_the_newest_frame_and_survives_a_lost_connection() -> None:
    lost = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        send_camera(handler, None if lost.is_set() else 25)
        lost.set()

    with serving(answer) as port, _pictures(f"http://127.0.0.1:{port}/stream.mjpg") as stream:
        seen = 0
        for _ in stream:
            seen += 1
            time.sleep(0.1)  # slower than the camera
            if stream.error_count and seen > 5:
                break
    assert stream.dropped > seen
    assert "lost the connection" in str(stream.errors[0].error)
    assert not _readers()


@pytest.mark.timeout(60)
def test_a_camera_that_is_down_at_the_start_is_waited_for() -> None:
    port = _free_port()
    failed_twice, done = threading.Event(), threading.Event()
    reports: list[FrameError] = []

    def note(report: FrameError) -> None:
        reports.append(report)
        if len(reports) == 2:
            failed_twice.set()

    def serve() -> None:
        failed_twice.wait(BOUND)
        with serving(send_camera, port=port):
            done.wait(BOUND)

    server = threading.Thread(target=serve)
    server.start()
    source = open_source(f"http://127.0.0.1:{port}/stream.mjpg", QUICK)
    with Stream(source, lambda pictures: list(pictures), on_error=note) as stream:
        try:
            assert next(iter(stream)).size == (48, 64)
        finally:
            done.set()
            failed_twice.set()
            server.join()
    assert "cannot open http://127.0.0.1" in str(reports[0].error)
    assert "trying again in 0.05 s" in str(reports[0].error)


@pytest.mark.timeout(60)
def test_a_camera_that_stays_away_is_given_up_after_the_time_that_was_set() -> None:
    address = f"http://127.0.0.1:{_free_port()}/"
    stream = _pictures(address, Reconnect(0.05, 0.1, give_up_after=0.4))
    assert list(stream) == []
    assert stream.error_count > 2
    assert "giving up" in str(stream.errors[-1].error)
    once = _pictures(address, Reconnect(give_up_after=0))
    assert list(once) == []
    assert once.error_count == 1


def test_pauses_grow_up_to_the_longest_and_their_range_is_checked() -> None:
    assert list(itertools.islice(Reconnect(1, 5).pauses(), 5)) == [1, 2, 4, 5, 5]
    for wrong in ({"first": 0}, {"longest": 0.1}, {"give_up_after": -1}, {"first": float("nan")}):
        with pytest.raises(OptionError):
            Reconnect(**wrong)
    with pytest.raises(OptionError):
        open_source("rtsp://127.0.0.1:9/", {"first": 1})  # type: ignore[arg-type]


class _Capture:
    """Stands in for OpenCV's: fails as the list says, then works."""

    faults: ClassVar[list[Exception]] = []

    def __init__(self, *_: object) -> None:
        if self.faults and isinstance(self.faults[0], OSError):
            raise self.faults.pop(0)

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def get(self, _: int) -> float:
        return -1

    def grab(self) -> bool:
        time.sleep(0.005)
        return True

    def retrieve(self) -> tuple[bool, Any]:
        if self.faults and not isinstance(self.faults[0], OSError):
            raise self.faults.pop(0)
        return True, np.zeros((16, 32, 3), np.uint8)

    def release(self) -> None:
        pass


@pytest.mark.timeout(60)
def test_an_exception_while_reading_is_an_error_of_the_stream_and_the_camera_reopened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", _Capture)
    _Capture.faults = [cv2.error("from a driver"), OSError("at opening"), MemoryError()]
    with _pictures(0) as stream:
        for _ in stream:
            if stream.error_count == 3:
                break
    texts = [str(each.error) for each in stream.errors]
    assert "from a driver" in texts[0]
    assert "at opening" in texts[1]
    assert "MemoryError" in texts[2]
    assert all(isinstance(each.error, SourceError) for each in stream.errors)


@pytest.mark.timeout(60)
def test_an_exception_while_reading_a_recording_is_an_error_and_the_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Recorded(_Capture):
        def get(self, _: int) -> float:
            return 100

    monkeypatch.setattr(cv2, "VideoCapture", Recorded)
    (tmp_path / "clip.mp4").write_bytes(b"a clip")
    for source in (tmp_path / "clip.mp4", "rtsp://127.0.0.1:9/clip"):
        _Capture.faults = [cv2.error("from a decoder")]
        stream = _pictures(source)
        assert list(stream) == []
        assert [type(each.error) for each in stream.errors] == [SourceError]
        assert "from a decoder" in str(stream.errors[0].error)


@pytest.mark.timeout(60)
def test_closing_does_not_wait_for_a_camera_that_sends_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        stream = _pictures(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        threading.Timer(0.5, stream.close).start()
        begun = time.monotonic()
        assert list(stream) == []
        assert time.monotonic() - begun < 8  # the network's own limit is ten seconds


def test_no_order_is_changed_and_nothing_grows_while_nobody_takes_frames() -> None:
    handoff = Handoff()
    picture = Picture(np.zeros((1, 1, 3), np.uint8))
    for i in range(100):
        handoff.put_newest(Frame(f"error {i}", error=SourceError("x")))
        handoff.put_newest(Frame(f"frame {i}", picture))
    handoff.finish()
    names = []
    while (frame := handoff.take(lambda: False, lambda: None)) is not None:
        names.append(frame.name)
    assert names[-1] == "frame 99"
    assert names[-2] == "error 99"
    assert len(names) <= 17
    assert handoff.dropped == 99


@pytest.mark.timeout(60)
def test_a_reader_that_is_gone_ends_the_wait() -> None:
    assert Handoff().take(lambda: False, lambda: None) is None


@pytest.fixture
def video(tmp_path: Path) -> bytes:
    write_video(tmp_path / "line.avi", 20)
    return (tmp_path / "line.avi").read_bytes()


@pytest.mark.timeout(60)
def test_a_video_behind_an_address_is_a_recording(video: bytes) -> None:
    with serving(send_file(video)) as port:
        stream = _pictures(f"http://127.0.0.1:{port}/line.avi")
        assert [picture.frame for picture in stream] == list(range(20))
    assert stream.error_count == 0


@pytest.mark.timeout(60)
def test_a_file_that_does_not_say_how_long_it_is_ends_as_its_server_says_it_is_one() -> None:
    file = send_file(motion_jpeg(12), "video/x-motion-jpeg")
    with serving(file, head=file) as port:
        stream = _pictures(f"http://127.0.0.1:{port}/clip.mjpeg")
        assert len(list(stream)) == 12


@pytest.mark.timeout(60)
def test_a_transfer_that_breaks_off_is_reported_and_ends(tmp_path: Path) -> None:
    write_video(tmp_path / "long.avi", 200)
    video = (tmp_path / "long.avi").read_bytes()
    half = send_file(video[: len(video) // 2], length=len(video))
    with serving(half) as port:
        stream = _pictures(f"http://127.0.0.1:{port}/long.avi")
        assert 50 < len(list(stream)) < 150
    assert "fewer frames" in str(stream.errors[-1].error)


@pytest.mark.timeout(60)
def test_a_file_behind_an_address_that_is_no_video_is_an_error_and_the_end() -> None:
    with serving(send_file(b"no video" * 1000)) as port:
        stream = _pictures(f"http://127.0.0.1:{port}/line.avi")
        assert list(stream) == []
    assert "not a video" in str(stream.errors[-1].error)
    assert stream.error_count == 1


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (-1, "no camera has this index"),
        (100, "no camera has this index"),
        ("1234567890123456789", "no camera has this index"),
        ("foo://camera/1", "scheme"),
        ("file:///clip.mp4", "as a path"),
        ("rtsp://", "not a valid URL"),
        ("rtsp://[::1/main", "not a valid URL"),
        ("rtsp://camera:99999/", "not a valid URL"),
        ("rtsp://me:a/b@camera/", "not a valid URL"),
        ("rtsp://camera/\udcff", "not a valid URL"),
    ],
)
def test_what_waiting_cannot_mend_is_refused_at_once(source: object, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        open_source(source)  # type: ignore[arg-type]


def test_opencv_missing_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cv2", None)
    for source in (0, "rtsp://camera/"):
        with pytest.raises(SourceError, match=r"sakedge\[video\]"):
            open_source(source)


def test_a_device_that_is_not_plugged_in_is_waited_for(tmp_path: Path) -> None:
    source = open_source("/dev/video77")
    threading.Timer(0.3, source.close).start()
    assert "camera or stream that answers" in str(next(iter(source)).error)
    with pytest.raises(SourceError, match="is no source"):
        open_source("/dev/zero")


@pytest.fixture(autouse=True)
def _no_reader_is_left() -> Iterator[None]:
    yield
    deadline = time.monotonic() + BOUND
    while _readers() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _readers()
