"""What a student refuses, and its lifetime: closed, pickled, streaming."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.pictures import picture, same

import sakedge
from sakedge.errors import (
    ClosedError,
    DigestError,
    ImageError,
    OptionError,
    SourceError,
    StorageError,
    UnknownAdapterError,
    UnknownBackendError,
    UnknownTaskError,
)


@pytest.fixture(scope="module")
def student(tiny_student: Path) -> Iterator[sakedge.Student]:
    with sakedge.load(tiny_student, backend="onnxruntime") as student:
        yield student


# What is refused


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"adapters": ["sma"]}, UnknownAdapterError, "one of dino, sam"),
        ({"tasks": ["depth"]}, UnknownTaskError, "defects, edge, sal, normals, height"),
        ({"tasks": []}, OptionError, "no task"),
        ({"backend": "tensorrt"}, UnknownBackendError, "openvino, onnxruntime"),
        ({"precision": "int4"}, OptionError, "auto, fp32, bf16, fp16, int8"),
        ({"threads": 0}, OptionError, "threads"),
        ({"config": {"min_wieght": 0.1}}, OptionError, "min_weight"),
    ],
)
def test_load_tells_what_there_is(
    arguments: dict[str, object], error: type[Exception], words: str, tiny_student: Path
) -> None:
    with pytest.raises(error, match=words):
        sakedge.load(tiny_student, **arguments)  # type: ignore[arg-type]


def test_what_is_no_student_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        sakedge.load(tmp_path / "gone.onnx")
    with pytest.raises(StorageError):
        sakedge.load(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"adapters": ["clip"]}, UnknownAdapterError, "one of dino, sam"),
        ({"tasks": "depth"}, UnknownTaskError, "height"),
        ({"tasks": []}, OptionError, "no task"),
        ({"fit": "stretch"}, OptionError, "pad, letterbox, tile"),
        ({"color": "hsv"}, OptionError, "rgb, bgr"),
        ({"adapters": 3}, OptionError, "by name"),
    ],
)
def test_a_call_tells_what_there_is(
    arguments: dict[str, object],
    error: type[Exception],
    words: str,
    student: sakedge.Student,
) -> None:
    with pytest.raises(error, match=words):
        student(picture(64, 96), **arguments)  # type: ignore[call-overload]


@pytest.mark.parametrize("image", [3, None, np.zeros((2, 64, 96, 3), np.uint8), b"bytes"])
def test_what_is_no_image_is_refused(image: object, student: sakedge.Student) -> None:
    with pytest.raises(ImageError):
        student(image)  # type: ignore[call-overload]


def test_an_adapter_that_was_not_loaded_is_told_apart(tiny_student: Path) -> None:
    with (
        sakedge.load(tiny_student, adapters=["sam"]) as student,
        pytest.raises(UnknownAdapterError, match="expected sam"),
    ):
        student(picture(64, 96), adapters=["dino"])


# Lifetime


def test_a_closed_student_says_so(tiny_student: Path) -> None:
    with sakedge.load(tiny_student) as student:
        pass
    for use in (
        lambda: student(picture(64, 96)),
        lambda: student.adapters.active,
        lambda: student.stream(["a.png"]),
        student.explain,
    ):
        with pytest.raises(ClosedError, match="closed"):
            use()


def test_a_pickled_student_is_loaded_again(
    tiny_student: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tiny_student.parent)
    with sakedge.load(tiny_student.name, adapters=["sam"], tasks=["edge"], threads=1) as student:
        frozen = pickle.dumps(student)
        expected = student(picture(64, 96))
    monkeypatch.chdir(tmp_path)
    with pickle.loads(frozen) as again:
        assert again.adapters.active == ("sam",)
        assert again.explain().threads == 1
        assert same(again(picture(64, 96)), expected)


def test_a_pickled_student_refuses_another_file(tiny_checkpoint: object, tmp_path: Path) -> None:
    from tools.checkpoint import make_checkpoint

    from sakedge.convert import convert

    sizes = {"width": 48, "blocks": 4, "attention_heads": 3, "tasks": ["edge"]}
    path = tmp_path / "student.onnx"
    convert(*make_checkpoint(tmp_path / "one", seed=1, **sizes), path)  # type: ignore[arg-type]
    with sakedge.load(path) as student:
        frozen = pickle.dumps(student)
    convert(*make_checkpoint(tmp_path / "two", seed=2, **sizes), path)  # type: ignore[arg-type]
    with pytest.raises(DigestError, match="not the file"):
        pickle.loads(frozen)


def test_a_pickled_student_refuses_a_file_with_other_labels(
    tiny_student: Path, tmp_path: Path
) -> None:
    path = tmp_path / "student.onnx"
    path.write_bytes(tiny_student.read_bytes())
    with sakedge.load(path, tasks=["edge"]) as student:
        frozen = pickle.dumps(student)
    path.write_bytes(tiny_student.read_bytes().replace(b'"scratch"', b'"scritch"'))
    with pytest.raises(DigestError, match="not the file"):
        pickle.loads(frozen)


# Streams


def test_a_stream_runs_over_a_folder_past_what_is_bad(
    student: sakedge.Student, tmp_path: Path
) -> None:
    for i in range(4):
        Image.fromarray(picture(64, 96, i)).save(tmp_path / f"{i}.png")
    Image.fromarray(picture(200, 200)).save(tmp_path / "1.png")  # does not fit
    (tmp_path / "3.png").write_bytes(b"broken")
    stream = student.stream(tmp_path, batch=3, fit="pad", tasks=["edge"])
    results = list(stream)
    assert [Path(str(r.source)).name for r in results] == ["0.png", "2.png"]
    assert stream.error_count == 2
    assert {Path(error.source).name for error in stream.errors} == {"1.png", "3.png"}
    assert same(results[1], student(picture(64, 96, 2), tasks=["edge"]))


def test_a_stream_checks_its_arguments_before_the_first_frame(
    student: sakedge.Student, tmp_path: Path
) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(UnknownTaskError):
        student.stream(tmp_path, tasks=["nothing"])
    with pytest.raises(SourceError):
        student.stream(tmp_path / "gone")
