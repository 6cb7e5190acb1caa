"""Streams: what a source means, what is skipped, and bad frames among good ones."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sakedge.errors import ImageError, OptionError, SourceError, UnknownTaskError
from sakedge.images import Picture
from sakedge.sources import FrameError, Stream, open_source


def _write_images(folder: Path, names: list[str]) -> None:
    for i, name in enumerate(names):
        Image.new("RGB", (4, 4), (i, i, i)).save(folder / name)


def _names(source: object) -> list[str]:
    return [Path(frame.name).name for frame in open_source(source)]  # type: ignore[arg-type]


def test_a_folder_yields_its_images_sorted(tmp_path: Path) -> None:
    _write_images(tmp_path, ["b.png", "a.jpg", "c.TIF"])
    (tmp_path / "below").mkdir()
    _write_images(tmp_path / "below", ["d.png"])
    assert _names(tmp_path) == ["a.jpg", "b.png", "c.TIF"]


def test_an_image_is_what_is_one_by_content(tmp_path: Path) -> None:
    image = Image.new("RGB", (4, 4))
    for name, kind in (("a", "PNG"), ("b.mp4", "JPEG"), ("c.txt", "BMP")):
        image.save(tmp_path / name, kind)
        assert _names(tmp_path / name) == [name]
    assert _names(tmp_path) == ["a", "b.mp4", "c.txt"]


def test_a_folder_and_a_pattern_name_what_they_skip(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _write_images(tmp_path, ["a.png"])
    for name in ("notes.txt", "clip.mp4", "Thumbs.db", ".DS_Store", "desktop.ini"):
        (tmp_path / name).write_text("no image")
    os.mkfifo(tmp_path / "pipe.png")
    for source in (tmp_path, str(tmp_path / "*")):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "sakedge"):
            stream = Stream(open_source(source), list)
        skipped = [Path(name).name for name in stream.skipped]
        assert skipped == ["clip.mp4", "notes.txt", "pipe.png"]
        assert "clip.mp4, notes.txt, pipe.png" in caplog.text
        assert len(list(stream)) == 1
        assert stream.error_count == 0


def test_a_long_list_of_skipped_files_is_cut(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _write_images(tmp_path, ["a.png"])
    for i in range(40):
        (tmp_path / f"{i:02d}.json").write_text("{}")
    with caplog.at_level(logging.WARNING, "sakedge"):
        assert len(open_source(tmp_path).skipped) == 40
    assert "04.json and 35 more" in caplog.text


def test_a_damaged_or_empty_image_in_a_folder_is_an_error_and_not_skipped(tmp_path: Path) -> None:
    _write_images(tmp_path, ["a.png"])
    (tmp_path / "b.png").write_bytes(b"")
    (tmp_path / "c.jpg").write_bytes(bytes(1000))
    (tmp_path / "d.png").symlink_to("gone.png")
    stream = Stream(open_source(tmp_path), list)
    assert len(list(stream)) == 1
    assert [Path(each.source).name for each in stream.errors] == ["b.png", "c.jpg", "d.png"]
    assert stream.skipped == ()


def test_a_glob_an_image_and_a_list_are_sources(tmp_path: Path) -> None:
    _write_images(tmp_path, ["a.png", "b.png", "c.jpg", "[d].png"])
    assert _names(str(tmp_path / "*.png")) == ["[d].png", "a.png", "b.png"]
    assert _names(str(tmp_path / "**" / "[bc].*")) == ["b.png", "c.jpg"]
    assert _names(tmp_path / "c.jpg") == ["c.jpg"]
    assert _names(tmp_path / "[d].png") == ["[d].png"]
    assert _names([tmp_path / "b.png", np.zeros((2, 2, 3), np.uint8)]) == ["b.png", "image#000001"]


def test_an_image_in_memory_is_a_source() -> None:
    array = np.zeros((2, 3, 3), np.uint8)
    pil = Image.fromarray(array)
    for image in (array, pil, Picture(array)):
        (frame,) = open_source(image)
        assert frame.picture is not None
        assert frame.picture.size == (2, 3)
        assert len(list(open_source([image, image]))) == 2
    assert _names((pil,)) == ["image#000000"]


def test_an_iterator_is_asked_for_one_image_at_a_time() -> None:
    asked: list[int] = []

    def images() -> Iterator[np.ndarray]:
        for i in range(3):
            asked.append(i)
            yield np.zeros((2, 2, 3), np.uint8)
        raise KeyError("of the caller's own")

    frames = iter(open_source(images()))
    next(frames)
    assert asked == [0]
    assert len([next(frames), next(frames)]) == 2
    with pytest.raises(KeyError):
        next(frames)


@pytest.mark.parametrize(
    "source",
    [
        None,
        True,
        1.5,
        np.int64(0),
        object(),
        {"a.png"},
        {"a.png": 1},
        "",
        "a\0b",
        "\udcff",
        "\ud800",
        "x" * 10_000,
        "x" * 10_000 + "*",
        "[" * 300,
        Path("\0"),
        "/dev/zero",
        "/proc",
        "/proc/kmsg",
        "/dev/null",
        "videotestsrc ! appsink",
    ],
    ids=lambda source: repr(source)[:20],
)
def test_what_is_no_source_is_refused_with_what_would_be_one(source: object) -> None:
    with pytest.raises(SourceError, match="expected"):
        open_source(source)  # type: ignore[arg-type]


@pytest.mark.parametrize("item", [None, 1, [np.zeros((2, 2, 3))], b"", "rtsp://me:secret@cam/a@b"])
def test_what_is_no_image_in_a_list_is_an_error_of_its_own(item: object) -> None:
    good = np.zeros((2, 2, 3), np.uint8)
    frames = list(open_source([good, item, good]))  # type: ignore[list-item]
    assert [frame.picture is None for frame in frames] == [False, True, False]
    assert "secret" not in f"{frames[1].name} {frames[1].error}"


@pytest.mark.parametrize("source", ["gone/", "gone.mp4", "*.gone", [], "."])
def test_nothing_to_read_is_an_error(
    source: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError):
        open_source(source)  # type: ignore[arg-type]


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


def test_closing_ends_a_running_loop_before_its_next_result(tmp_path: Path) -> None:
    _write_images(tmp_path, [f"{i}.png" for i in range(6)])
    for batch in (1, 4):
        stream = Stream(open_source(tmp_path), list, batch)
        seen = 0
        for _ in stream:
            seen += 1
            stream.close()
        assert seen == 1
        assert list(stream) == []
