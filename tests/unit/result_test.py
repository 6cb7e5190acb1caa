"""What a result reports, draws and writes."""

from __future__ import annotations

import json
import os
import re
import resource
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sakedge.errors import OptionError, StorageError, UnknownTaskError
from sakedge.result import Result, Routing
from sakedge.tasks import TaskInfo, task_result

SHAPE = (40, 60)


def _result(source: str | None = "parts/casting 17.png", shape: tuple[int, int] = SHAPE) -> Result:
    labels = np.zeros(shape, np.uint8)
    labels[: shape[0] // 4] = 1
    depth = np.linspace(0, 2, shape[0] * shape[1], dtype=np.float32).reshape(shape)
    semseg = TaskInfo(name="semseg", kind="labels", classes=2, labels=("sound", "dent"))
    outputs = {
        "semseg": task_result(semseg, labels),
        "depth": task_result(TaskInfo(name="depth", kind="scalar", classes=1, unit="mm"), depth),
    }
    weights = np.array([[0.25, 0.75, 0], [0.5, 0.5, 0]], np.float32)
    routing = dict.fromkeys(outputs, Routing(weights, (2, 5), ("stem", "dino", "sam")))
    image = np.full((*shape, 3), 90, np.uint8)
    return Result(outputs, image, source, ("dino",), routing, {"stem": 3.0, "decoder": 1.5})


def test_a_result_is_a_mapping_of_tasks() -> None:
    result = _result()
    assert list(result) == ["semseg", "depth"] == list(result.tasks)
    assert len(result) == 2
    assert "depth" in result
    assert "edge" not in result
    assert result["semseg"].labels[0, 0] == 1
    assert result["depth"].unit == "mm"


def test_a_task_that_is_not_there_lists_those_that_are() -> None:
    with pytest.raises(UnknownTaskError, match="semseg, depth"):
        _result()["edge"]
    assert _result().get("edge") is None


def test_routing_is_an_array_and_knows_its_experts() -> None:
    routing = _result().routing["semseg"]
    assert np.asarray(routing).shape == (2, 3)
    assert routing.mean() == {"stem": 0.375, "dino": 0.625, "sam": 0.0}
    assert routing.to_dict()["5"] == {"stem": 0.5, "dino": 0.5, "sam": 0.0}


def test_json_is_compact_and_complete() -> None:
    told = json.loads(_result().to_json())
    assert told["tasks"]["semseg"]["classes"]["dent"] == {"pixels": 600, "percent": 25.0}
    assert told["tasks"]["depth"]["max"] == 2.0
    assert told["adapters"] == ["dino"]
    assert told["routing"]["depth"]["2"]["dino"] == 0.75
    assert told["speed_ms"] == {"stem": 3.0, "decoder": 1.5}
    assert (told["height"], told["width"]) == SHAPE


@pytest.mark.parametrize("shape", [(40, 60), (1, 1), (3, 900), (700, 2)])
def test_a_plot_shows_the_input_and_every_task(shape: tuple[int, int]) -> None:
    plot = _result(shape=shape).plot()
    assert plot.dtype == np.uint8
    assert plot.shape[2] == 3
    for color in (
        [90, 90, 90],
        task_result(_result()["semseg"].info, np.zeros(0)).colors[1],
    ):
        assert (np.abs(plot.astype(int) - color) < 100).all(axis=-1).any()


def test_a_plot_of_many_classes_stays_inside_its_sheet() -> None:
    info = TaskInfo(name="semseg", kind="labels", classes=200)
    labels = np.arange(200, dtype=np.uint8).repeat(20).reshape(50, 80)
    plot = Result({"semseg": task_result(info, labels)}, np.zeros((50, 80, 3), np.uint8)).plot()
    assert plot.shape[0] < 1000
    assert plot.shape[1] < 1500


def test_saving_writes_pictures_that_can_be_read_back(tmp_path: Path) -> None:
    written = _result().save(tmp_path / "made" / "for it", arrays=True)
    names = {"casting_17.png", "casting_17_semseg.png", "casting_17_depth.png", "casting_17.npz"}
    assert (
        {path.name for path in written}
        == names
        == {path.name for path in written[0].parent.iterdir()}
    )
    with Image.open(written[1]) as overlay:
        assert overlay.size == SHAPE[::-1]
    with np.load(written[-1]) as arrays:
        np.testing.assert_array_equal(arrays["depth"], _result()["depth"].values)


@pytest.mark.parametrize(
    ("source", "frame", "stem"),
    [
        (None, None, "image"),
        ("a/b.c.jpeg", None, "b.c"),
        ("parts/bolt#000012.png", None, "bolt_000012"),
        ("parts/bolt#7", None, "bolt_7"),
        ("line.avi", 12, "line_000012"),
        ("line.avi#000012", 12, "line_000012"),
        ("take#2.avi#000012", 12, "take_2_000012"),
        ("camera 0", 1234567, "camera_0_1234567"),
        ("rtsp://cam3/main#000012", 12, "main_000012"),
        ("rtsp://10.0.0.7:554", 3, "10.0.0.7_554_000003"),
        ("http://user:word@cam/stream/?token=secret#x", 0, "stream_000000"),
        ("rtsp://user:word@cam", 0, "cam_000000"),
        ("parts/\udcff\udcfe.png", None, "_"),
        ("parts/.png", None, "png"),
        ("parts/...", None, "image"),
        ("parts/aux.jpg", None, "_aux"),
        ("parts/COM¹.x.jpg", None, "_COM¹.x"),
        ("parts/e\u0301tape.png", None, "étape"),
        ("parts/हिन्दी.png", None, "हिन्दी"),
        ("a\n\x1b[31m:b.png", None, "a_31m_b"),
    ],
)
def test_file_names_come_from_the_source(source: str | None, frame: int | None, stem: str) -> None:
    assert replace(_result(source), frame=frame).file_name == stem


@given(st.text(st.characters(exclude_characters="\0"), max_size=300), st.none() | st.integers(0))
def test_any_source_gives_names_that_every_file_system_takes(
    source: str, frame: int | None
) -> None:
    result = replace(_result(source), frame=frame)
    names = [f"{result.file_name}-1234567{ending}" for ending in result.file_endings]
    assert len(set(names)) == len(names)
    for name in names:
        assert len(name.encode()) <= 255
        assert name == name.strip() == PureWindowsPath(name).name
        assert not name.startswith(".")
        assert not re.search(r'[\x00-\x1f<>:"/\\|?*]', name)


def test_long_names_differ_where_they_were_cut_and_keep_all_files(tmp_path: Path) -> None:
    for source in ("ü" * 120 + "1.png", "ü" * 120 + "2.png"):
        _result(source).save(tmp_path, arrays=True)
    assert len(list(tmp_path.iterdir())) == 2 * 4


def test_tasks_whose_names_differ_in_case_get_files_of_their_own(tmp_path: Path) -> None:
    output = _result()["depth"]
    result = Result(dict.fromkeys(("Edge", "edge", "../x"), output), _result().image)
    names = {path.name for path in result.save(tmp_path)}
    assert names == {"image.png", "image_Edge.png", "image_edge-2.png", "image_.._x.png"}


@pytest.mark.parametrize("task", ["file", "allow_pickle", "arr_0", "edge"])
def test_arrays_are_saved_under_any_name_of_a_task(task: str, tmp_path: Path) -> None:
    output = _result()["depth"]
    written = Result({task: output}, _result().image).save(tmp_path, arrays=True)
    with np.load(written[-1]) as arrays:
        assert arrays.files == [task]
        np.testing.assert_array_equal(arrays[task], output.values)


@pytest.mark.parametrize(
    "name", ["", "../x", "/x", "a/b", "a\\b", "x\0", "\ud800", "x" * 250, 5, b"x", Path("x")]
)
def test_a_name_that_is_none_of_a_file_is_refused(name: Any, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no file can have this name"):
        _result().save(tmp_path / "out", name=name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", [None, b"out", ["out"]])
def test_a_folder_that_is_no_path_is_refused(folder: Any) -> None:
    with pytest.raises(OptionError, match="given by its path"):
        _result().save(folder)


@pytest.mark.parametrize("folder", ["out\0", "\ud800"])
def test_a_folder_that_no_system_has_is_a_storage_error(folder: str) -> None:
    with pytest.raises(StorageError, match="no file can have this path"):
        _result().save(folder)


@pytest.mark.parametrize("text", ["a\nb", "\udcff", "\x1b[2J", "x" * 2_000_000, "\u202eabc", ""])
def test_any_name_can_be_drawn(text: str) -> None:
    legal = text.encode(errors="ignore").decode()[:256]  # as a manifest may have it
    info = TaskInfo(name="semseg", kind="labels", classes=2, labels=(legal, legal))
    semseg = task_result(info, np.zeros(SHAPE, np.uint8))
    depth = task_result(
        TaskInfo(name="depth", kind="scalar", classes=1, unit=legal), np.zeros(SHAPE)
    )
    routing = dict.fromkeys(("semseg", text), Routing(np.ones((1, 1), np.float32), (0,), (text,)))
    image = np.zeros((*SHAPE, 3), np.uint8)
    plot = Result({"semseg": semseg, text: depth}, image, text, routing=routing).plot()
    assert max(plot.shape) < 2500


def test_json_is_ascii_and_strict_whatever_the_names_and_values() -> None:
    result = _result("parts/\udcff\u202e\x9b\x1b.png")
    result.speed["stem"] = float("nan")  # type: ignore[index]
    text = result.to_json()
    assert text.isascii()
    assert text.isprintable()
    told = json.loads(text, parse_constant=pytest.fail)
    assert told["source"] == result.source
    assert told["speed_ms"]["stem"] is None


def test_a_name_can_be_given(tmp_path: Path) -> None:
    assert (tmp_path / "x_depth.png") in _result().save(tmp_path, name="x")


def test_a_place_without_rights_is_a_storage_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    me = os.geteuid()
    try:
        if me == 0:  # root may write everywhere; the user `nobody` may not
            os.seteuid(65534)
        with pytest.raises(StorageError, match="Permission denied"):
            _result().save(tmp_path / "out")
    finally:
        os.seteuid(me)


def test_running_out_of_room_is_a_storage_error_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stops the writing halfway, as a full disk would."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        with pytest.raises(StorageError, match="cannot write"):
            _result().save(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())


def test_a_file_is_no_folder_to_save_to(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(StorageError, match="out"):
        _result().save(tmp_path / "out")


def test_a_file_that_cannot_be_replaced_leaves_no_rubbish(tmp_path: Path) -> None:
    (tmp_path / "x.png").mkdir()
    with pytest.raises(StorageError):
        _result().save(tmp_path, name="x")
    assert list(tmp_path.iterdir()) == [tmp_path / "x.png"]
