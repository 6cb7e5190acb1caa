"""Arguments of any type are refused in our own words, also those that raise when looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tools.fuzz.values import NamedPath, Raising

import sakedge
from sakedge.arguments import by_name, callback, flag, in_range, one_of, pick, several
from sakedge.errors import ImageError, OptionError, UnknownTaskError
from sakedge.files.paths import file_path


@pytest.mark.parametrize("value", [10**400, -(10**400), float("nan"), True, 1j, "1", None, [1]])
def test_what_is_no_number_within_bounds_is_refused(value: Any) -> None:
    with pytest.raises(OptionError, match="batch is out of range; expected a whole number"):
        in_range("batch", value, low=1, whole=True)
    with pytest.raises(OptionError, match="share is out of range"):
        in_range("share", value, low=0, high=0.75)


@pytest.mark.parametrize("value", [Raising(), np.zeros(2), [], {}, 3, None, b"pad"])
def test_what_is_no_word_flag_path_or_name_is_refused(value: Any) -> None:
    with pytest.raises(OptionError, match="unknown fit; expected one of pad, tile"):
        one_of("fit", value, ("pad", "tile"))
    with pytest.raises(OptionError, match="logits is neither true nor false"):
        flag("logits", value)
    with pytest.raises(OptionError, match="the pack is given by its path"):
        file_path("the pack", value)
    with pytest.raises(OptionError, match="tasks are given by name"):
        pick("task", [value], ("edge",), UnknownTaskError)


def test_flags_of_numpy_are_flags() -> None:
    assert flag("logits", np.bool_(True)) is True


@pytest.mark.parametrize("path", [Raising(), NamedPath()])
def test_an_image_that_raises_is_one_bad_frame(tiny_student: Path, path: Any) -> None:
    picture = np.zeros((64, 96, 3), np.uint8)
    with sakedge.load(tiny_student, backend="onnxruntime") as student:
        with pytest.raises(ImageError):
            student(path)
        stream = student.stream([picture, path, picture])
        assert len(list(stream)) == 2
        assert stream.error_count == 1


def test_a_progress_is_called_and_not_asked_whether_it_is_true(tiny_student: Path) -> None:
    class Progress(list[tuple[str, float]]):
        def __call__(self, step: str, share: float) -> None:
            self.append((step, share))

    progress = Progress()  # empty, so false
    with sakedge.load(tiny_student, backend="onnxruntime") as student:
        student(np.zeros((64, 200, 3), np.uint8), fit="tile", progress=progress)
    assert progress


@pytest.mark.parametrize("wrong", ["fp32", "", None, [], 3, [3], np.zeros(2), object()], ids=repr)
def test_a_list_of_words_is_a_list_of_words(wrong: Any) -> None:
    with pytest.raises(OptionError):
        several("precision", wrong)
    assert several("precision", ["fp32", "int8"]) == ("fp32", "int8")
    with pytest.raises(OptionError, match=r"one of fp32; got 'int4'"):
        several("precision", ["int4"], ["fp32"])


@pytest.mark.parametrize("wrong", ["semseg=1", 3, ["semseg"], np.zeros(2)], ids=repr)
def test_values_by_name_are_a_mapping(wrong: Any) -> None:
    with pytest.raises(OptionError, match="task_drops is not a mapping"):
        by_name("task_drops", wrong)
    assert by_name("task_drops", None) == {}
    assert by_name("task_drops", {"edge": 0.1}) == {"edge": 0.1}


@pytest.mark.parametrize("wrong", ["print", 0, np.zeros(2), [print]], ids=repr)
def test_a_callback_can_be_called(wrong: Any) -> None:
    with pytest.raises(OptionError, match="progress cannot be called"):
        callback("progress", wrong)
    callback("progress", None)
    callback("progress", print)
