"""What is too large for a student is refused by its header."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sakedge
from sakedge.cli.app import build
from sakedge.errors import ImageError


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A picture of 200 x 300 whose pixels are missing."""
    path = tmp_path / "large.png"
    Image.fromarray(np.zeros((200, 300, 3), np.uint8)).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"IDAT") + 6])
    return path


def test_padding_is_checked_before_decoding(tiny_student: Path, large: Path) -> None:
    with sakedge.load(tiny_student, backend="onnxruntime") as student:
        with pytest.raises(ImageError, match=r"at most 64 x 96.*fit='pad'"):
            student(large, fit="pad")
        with pytest.raises(ImageError, match="truncated or damaged"):
            student(large, fit="letterbox")
        stream = student.stream(large, fit="pad")
        assert list(stream) == []
        assert "at most 64 x 96" in str(stream.errors[0].error)


def test_max_pixels_holds_for_calls_and_streams(tiny_student: Path, large: Path) -> None:
    config = {"max_pixels": 200 * 300 - 1}
    with sakedge.load(tiny_student, backend="onnxruntime", config=config) as student:
        with pytest.raises(ImageError, match=r"60000 pixels.*raise max_pixels"):
            student(large, fit="tile")
        stream = student.stream(large.parent, fit="tile")
        assert list(stream) == []
        assert "raise max_pixels" in str(stream.errors[0].error)


def test_max_pixels_on_the_command_line(
    tiny_student: Path, large: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["predict", str(tiny_student), str(large), "--no-save", "--fit", "tile"]
    arguments += ["--max-pixels", "59999"]
    with pytest.raises(SystemExit) as ended:
        build()(arguments)
    assert ended.value.code == 1
    assert "--max-pixels" in capsys.readouterr().err
