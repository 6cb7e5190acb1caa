"""`sakedge predict` on sources: what is said, and the exit code."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from tests.support.videos import write_video
from typer.testing import CliRunner, Result

from sakedge.cli.app import build

Predict = Callable[..., Result]


@pytest.fixture
def predict(tiny_student: Path) -> Predict:
    def run(source: object, *options: str) -> Result:
        arguments = ["predict", str(tiny_student), str(source), "--no-save", "--fit", "letterbox"]
        return CliRunner().invoke(build(), [*arguments, *options])

    return run


def test_what_is_neither_an_image_nor_a_video_is_a_failure(
    predict: Predict, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("no video\n" * 100)
    result = predict(tmp_path / "notes.txt")
    assert result.exit_code == 1
    assert "neither an image nor a video" in result.stderr


def test_a_folder_names_what_it_skips(predict: Predict, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "notes.txt").write_text("no image")
    result = predict(tmp_path)
    assert result.exit_code == 0
    assert "notes.txt" in result.stderr
    assert "1 image" in result.stdout


def test_a_video_that_is_cut_off_is_a_warning(predict: Predict, tmp_path: Path) -> None:
    write_video(tmp_path / "line.avi", 12)
    content = (tmp_path / "line.avi").read_bytes()
    (tmp_path / "line.avi").write_bytes(content[: len(content) * 7 // 10])
    result = predict(tmp_path / "line.avi")
    assert result.exit_code == 2
    assert "is cut off" in result.stderr


def test_a_video_without_frames_and_a_camera_that_is_given_up_are_failures(
    predict: Predict, tmp_path: Path
) -> None:
    write_video(tmp_path / "empty.avi", 0)
    assert predict(tmp_path / "empty.avi").exit_code == 1
    away = predict("http://127.0.0.1:9/", "--give-up-after", "0.2", "--reconnect-pause", "0.1")
    assert away.exit_code == 1
    assert re.search("trying again in 0.1 s.*giving up", away.stderr, re.DOTALL)
