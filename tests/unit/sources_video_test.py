"""Video files: whatever their headers say, every frame once, in order, and what is missing told."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.support.videos import SIZE, motion_jpeg, number_of, write_video

from sakedge.errors import SourceError
from sakedge.images import Picture
from sakedge.sources import Source, Stream, capture, open_source
from sakedge.sources.containers import missing_bytes
from sakedge.sources.ending import Tally

KINDS = [
    ("line.avi", "MJPG"),
    ("line.mp4", "mp4v"),
    ("line.mov", "mp4v"),
    ("line.mkv", "MJPG"),
    ("line.ts", "mp4v"),
]
MEASURED = KINDS[:4]
"""Those whose containers say how long they are."""


def _open(path: Path) -> Stream[Picture]:
    return Stream(open_source(path), lambda pictures: list(pictures))


def _numbers(stream: Stream[Picture]) -> list[int]:
    return [number_of(picture) for picture in stream]


@pytest.fixture(params=KINDS, ids=lambda kind: Path(kind[0]).suffix)
def video(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    name, codec = request.param
    write_video(tmp_path / name, 30, codec)
    return tmp_path / name


def test_every_frame_comes_once_and_nothing_is_missed_in_a_whole_file(video: Path) -> None:
    stream = _open(video)
    pictures = list(stream)
    assert [number_of(picture) for picture in pictures] == list(range(30))
    assert [picture.frame for picture in pictures] == list(range(30))
    assert pictures[7].source == f"{video}#000007"
    assert list(stream.errors) == []
    assert stream.dropped == 0


def test_a_slow_loop_misses_nothing(video: Path) -> None:
    seen = []
    for picture in _open(video):
        time.sleep(0.01)
        seen.append(number_of(picture))
    assert seen == list(range(30))


def test_a_file_that_does_not_say_how_many_frames_it_has_still_ends(tmp_path: Path) -> None:
    path = tmp_path / "clip"
    path.write_bytes(b"\0" * 3 + motion_jpeg(12))  # the nulls keep it from being an image
    write_video(tmp_path / "line.mkv", 12)
    for unknown in (path, _without_length(tmp_path / "line.mkv")):
        stream = _open(unknown)
        assert len(list(stream)) == 12
        assert list(stream.errors) == []


def _without_length(path: Path) -> Path:
    """As ffmpeg leaves Matroska that is written to a pipe, or when the power fails."""
    content = bytearray(path.read_bytes())
    segment = content.index(b"\x18\x53\x80\x67")
    content[segment + 4 : segment + 12] = b"\x01" + b"\xff" * 7
    duration = content.index(b"\x44\x89\x88")  # an element of 8 bytes becomes padding
    content[duration : duration + 11] = b"\xec\x89" + bytes(9)
    target = path.with_name("unfinished.mkv")
    target.write_bytes(content)
    return target


@pytest.mark.parametrize(("name", "codec"), MEASURED)
def test_a_file_that_is_cut_off_gives_what_it_has_and_says_so(
    name: str, codec: str, tmp_path: Path
) -> None:
    write_video(tmp_path / name, 30, codec)
    content = (tmp_path / name).read_bytes()
    cut = tmp_path / f"cut-{name}"
    index = content.rfind(b"moov")
    if index > 0:  # MP4's index moves to the front, as it does for the web
        content = _fast_start(content)
    cut.write_bytes(content[: len(content) * 6 // 10])
    stream = _open(cut)
    numbers = _numbers(stream)
    assert 3 < len(numbers) < 30
    assert numbers == sorted(numbers)
    assert "is cut off" in str(stream.errors[-1].error)


def _fast_start(content: bytes) -> bytes:
    """Moves the box `moov` before `mdat` and shifts the offsets in it."""
    boxes = []
    at = 0
    while at < len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        boxes.append((content[at + 4 : at + 8], content[at : at + length]))
        at += length
    moov = bytearray(next(body for kind, body in boxes if kind == b"moov"))
    table = moov.index(b"stco")
    for i in range(int.from_bytes(moov[table + 8 : table + 12], "big")):
        place = slice(table + 12 + 4 * i, table + 16 + 4 * i)
        moov[place] = (int.from_bytes(moov[place], "big") + len(moov)).to_bytes(4, "big")
    rest = [body for kind, body in boxes if kind not in (b"moov", b"ftyp")]
    head = [body for kind, body in boxes if kind == b"ftyp"]
    return b"".join([*head, bytes(moov), *rest])


@pytest.mark.parametrize(("name", "codec"), MEASURED)
def test_the_bytes_that_are_missing_are_counted(name: str, codec: str, tmp_path: Path) -> None:
    write_video(tmp_path / name, 30, codec)
    content = (tmp_path / name).read_bytes()
    assert missing_bytes(tmp_path / name) == 0
    (tmp_path / name).write_bytes(content[:-100])
    assert missing_bytes(tmp_path / name) == 100


def test_a_file_that_does_not_say_how_long_it_is_is_not_called_cut(tmp_path: Path) -> None:
    write_video(tmp_path / "line.ts", 5, "mp4v")
    write_video(tmp_path / "line.mkv", 5)
    assert missing_bytes(tmp_path / "line.ts") is None
    assert missing_bytes(_without_length(tmp_path / "line.mkv")) is None
    assert missing_bytes(tmp_path / "gone.mp4") is None


def test_damage_in_the_middle_is_told_and_what_follows_is_read(tmp_path: Path) -> None:
    path = tmp_path / "line.mp4"
    write_video(path, 30, "mp4v")
    content = bytearray(path.read_bytes())
    start = content.index(b"mdat") + 4
    end = content.index(b"moov") - 4
    middle = slice(start + (end - start) * 4 // 10, start + (end - start) * 6 // 10)
    content[middle] = b"\xff" * (middle.stop - middle.start)
    path.write_bytes(content)
    stream = _open(path)
    pictures = list(stream)
    assert pictures[-1].frame is not None
    assert pictures[-1].frame >= 25
    assert len(pictures) == 30 or stream.error_count


def _tally(announced: int | None, positions: list[float]) -> SourceError | None:
    tally = Tally(announced)
    for position in positions:
        tally.frame(position)
    return tally.problem("clip", None)


def _local_tally(announced: int | None, positions: list[float], path: Path) -> SourceError | None:
    tally = Tally(announced)
    for position in positions:
        tally.frame(position)
    return tally.problem("clip", path)


def test_frames_that_never_came_are_told_apart_from_inexact_headers(tmp_path: Path) -> None:
    whole = tmp_path / "whole.mkv"
    write_video(whole, 5)
    steady = [float(i) for i in range(60)]
    gap = steady[:20] + steady[50:]
    # In a file whose container is whole.
    assert _local_tally(60, steady, whole) is None
    assert "fewer frames" in str(_local_tally(60, gap, whole))
    assert _local_tally(90, steady, whole) is None, "its sound lasts longer"
    assert _local_tally(73, steady, whole) is None, "an edit list hides the first frames"
    assert _local_tally(120, [2 * i for i in steady], whole) is None, "its fields are counted"
    assert _local_tally(60, [float("nan")] * 20, whole) is None, "its times are unknown"
    # Over a network.
    assert _tally(60, steady) is None
    assert "fewer frames" in str(_tally(60, steady[:30]))
    assert _tally(63, steady) is None, "the duration was rounded"
    assert _tally(120, [2 * i for i in steady]) is None, "its fields are counted"
    assert "no frames" in str(_tally(None, []))


@pytest.mark.parametrize("content", [b"", b"no video\n" * 100, bytes(5000), b"\x1a\x45\xdf\xa3"])
def test_a_file_that_is_nothing_is_refused_at_once(content: bytes, tmp_path: Path) -> None:
    for name in ("noise.mp4", "notes.txt", "noise"):
        (tmp_path / name).write_bytes(content)
        says = "neither an image nor a video" if content else "is empty"
        with pytest.raises(SourceError, match=says):
            open_source(tmp_path / name)


def test_a_video_without_frames_is_an_error_of_the_stream(tmp_path: Path) -> None:
    write_video(tmp_path / "empty.avi", 0)
    stream = _open(tmp_path / "empty.avi")
    assert list(stream) == []
    assert "has no frames" in str(stream.errors[0].error)


def test_a_video_needs_opencv_and_says_so(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(SourceError, match=r"no image, and video needs OpenCV.*sakedge\[video\]"):
        open_source(video)


@pytest.mark.parametrize(
    "name", ["img_%03d.png", "a:b.avi", "a#b.avi", "rtsp:x.avi", "-x.avi", "12", "a[1]*.avi", "ü.x"]
)
def test_a_file_name_is_a_file_name_whatever_it_looks_like(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_video(tmp_path / "line.avi", 5)
    monkeypatch.chdir(tmp_path)
    Path("line.avi").rename(name)
    stream = _open(Path(name))
    assert len(list(stream)) == 5
    assert list(stream.errors) == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_not_utf8_is_read(tmp_path: Path) -> None:
    write_video(tmp_path / "line.avi", 5)
    path = tmp_path / os.fsdecode(b"caf\xe9.avi")
    (tmp_path / "line.avi").rename(path)
    assert len(list(_open(path))) == 5


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="is no source"):
        open_source(tmp_path / "pipe")


def _readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("sakedge ")]


@pytest.mark.timeout(60)
def test_a_video_that_is_forgotten_or_closed_unread_is_released(video: Path) -> None:
    source: Source | None = open_source(video)
    other = open_source(video)
    assert source is not None
    assert len(_readers()) == 2
    other.close()
    del source
    gc.collect()
    for thread in _readers():
        thread.join(10)
    assert _readers() == []
    assert list(other) == []


def test_frames_too_large_to_decode_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.avi"
    write_video(path, 3)
    monkeypatch.setattr(capture, "MAX_PIXELS", SIZE[0] * SIZE[1] - 1)
    with pytest.raises(SourceError, match=r"larger than is safe.*got 48 x 64"):
        open_source(path)
