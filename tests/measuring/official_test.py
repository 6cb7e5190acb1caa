"""PASCAL-Context and NYUD-v2 in the layouts that the multi-task literature reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.io import savemat

from sakedge.errors import DatasetError
from sakedge.measuring.data.nyud_v2 import open_nyud
from sakedge.measuring.data.opening import MARKS
from sakedge.measuring.data.pascal_context import open_pascal
from sakedge.tasks import TaskInfo

H, W = 6, 8
PASCAL = {
    "semseg": TaskInfo(name="semseg", kind="labels", classes=21),
    "human_parts": TaskInfo(name="human_parts", kind="labels", classes=7),
    "sal": TaskInfo(name="sal", kind="two_class", classes=2),
    "normals": TaskInfo(name="normals", kind="normals", classes=3),
    "edge": TaskInfo(name="edge", kind="probability", classes=1),
}
NYUD = {
    "semseg": TaskInfo(name="semseg", kind="labels", classes=40),
    "normals": PASCAL["normals"],
    "edge": PASCAL["edge"],
    "depth": TaskInfo(name="depth", kind="scalar", classes=1, unit="m"),
}


def _save(path: Path, pixels: NDArray[np.uint8], palette: bytes | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(pixels)
    if palette is not None:
        picture.putpalette(palette)
    picture.save(path)


def _struct(fields: Mapping[str, Any]) -> Any:
    """What MATLAB keeps as a 1 x 1 struct."""
    array = np.empty((1, 1), [(name, object) for name in fields])
    for name, value in fields.items():
        array[name][0, 0] = value
    return array


def _row(structs: list[Any]) -> Any:
    return np.concatenate(structs, axis=1)


def _mask(rows: slice, columns: slice) -> NDArray[np.uint8]:
    mask = np.zeros((H, W), np.uint8)
    mask[rows, columns] = 1
    return mask


@pytest.fixture
def pascal(tmp_path: Path) -> Path:
    root = tmp_path / "PASCAL_MT"
    (root / "ImageSets" / "Context").mkdir(parents=True)
    (root / "ImageSets" / "Context" / "val.txt").write_text("2008_000001\n2008_000002\n")
    (root / "human_parts").mkdir()
    (root / "pascal-context" / "trainval").mkdir(parents=True)
    categories = np.full((H, W), 360, np.uint16)  # sky, which has no normals
    categories[:, 4:] = 440  # wall
    whole = _mask(slice(None), slice(None))
    head = _struct({"part_name": "lear", "mask": _mask(slice(0, 2), slice(0, 8))})
    arm = _struct({"part_name": "rhand", "mask": _mask(slice(2, 4), slice(0, 3))})
    person = _struct(
        {"class": "person", "class_ind": 15, "mask": whole, "parts": _row([head, arm])}
    )
    beak = _struct({"part_name": "beak", "mask": whole})
    bird = _struct({"class": "bird", "class_ind": 3, "mask": whole, "parts": _row([beak])})
    for name, objects in (("2008_000001", [bird, person]), ("2008_000002", [bird])):
        _save(root / "JPEGImages" / f"{name}.jpg", np.zeros((H, W, 3), np.uint8))
        anno = _struct({"imname": name, "objects": _row(objects)})
        savemat(root / "human_parts" / f"{name}.mat", {"anno": anno})
        savemat(root / "pascal-context" / "trainval" / f"{name}.mat", {"LabelMap": categories})
        _save(root / "sal_distill" / f"{name}.png", np.tile(np.uint8([0, 127, 128, 255]), (H, 2)))
        normals = np.tile(np.uint8([128, 128, 255]), (H, W, 1))
        _save(root / "normals_distill" / f"{name}.png", normals)
    labels = np.full((H, W), 15, np.uint8)
    labels[0] = 255
    _save(root / "semseg" / "VOC12" / "2008_000001.png", labels, bytes(range(256)) * 3)
    _save(root / "semseg" / "pascal-context" / "2008_000002.png", labels % 255)
    return root


@pytest.fixture
def nyud(tmp_path: Path) -> Path:
    root = tmp_path / "NYUDv2"
    (root / "gt_sets").mkdir(parents=True)
    (root / "gt_sets" / "val.txt").write_text("0001\n")
    _save(root / "images" / "0001.png", np.zeros((H, W, 3), np.uint8))
    _save(root / "segmentation" / "0001.png", np.tile(np.uint8([0, 1, 40, 2]), (H, 2)))
    _save(root / "edge" / "0001.png", np.tile(np.uint8([0, 255]), (H, 4)))
    _save(root / "normals" / "0001.png", np.tile(np.uint8([255, 128, 128]), (H, W, 1)))
    (root / "depth").mkdir()
    np.save(root / "depth" / "0001.npy", np.tile(np.float32([0, 2.5]), (H, 4)))
    return root


def test_pascal_context_is_read_as_the_official_code_reads_it(pascal: Path) -> None:
    data = open_pascal(pascal, PASCAL)
    assert data.ids == ("2008_000001", "2008_000002") and data.tasks == tuple(PASCAL)
    truth = data[0].truth
    assert (truth["semseg"][0] == 255).all() and (truth["semseg"][1:] == 15).all()
    assert (data[1].truth["semseg"][0] == 0).all()
    assert (truth["human_parts"][:2] == 1).all() and (truth["human_parts"][2:4, :3] == 4).all()
    assert (truth["human_parts"][4:] == 0).all()
    assert truth["sal"][0].tolist() == [0, 0, 1, 1] * 2
    assert not truth["normals"][:, :4].any()
    assert np.allclose(truth["normals"][:, 4:], (0, 0, 1), atol=0.01)
    assert truth["edge"][0].tolist() == [0, 0, 0, 1, 1, 0, 0, 0]


def test_pascal_context_has_its_own_rules(pascal: Path) -> None:
    data = open_pascal(pascal, PASCAL)
    assert data.rules["edge"].edge_tolerance == 0.0075
    assert data.rules["human_parts"].background == 0
    assert not data[1].truth["human_parts"].any()


def test_nyud_v2_is_read_as_the_official_code_reads_it(nyud: Path) -> None:
    data = open_nyud(nyud, NYUD)
    assert data.tasks == tuple(NYUD) and data.rules["edge"].edge_tolerance == 0.011
    truth = data[0].truth
    assert truth["semseg"][0].tolist() == [255, 0, 39, 1] * 2
    assert truth["edge"][0].tolist() == [0, 1] * 4
    assert np.allclose(truth["normals"], (1, 0, 0), atol=0.01)
    assert truth["depth"][0].tolist() == [0, 2.5] * 4


def test_a_student_of_other_tasks_finds_nothing_in_them(pascal: Path) -> None:
    other = {"defects": TaskInfo(name="defects", kind="labels", classes=4)}
    with pytest.raises(DatasetError, match="no ground truth for any of the student's tasks"):
        open_pascal(pascal, other)


def test_missing_files_are_told(pascal: Path, nyud: Path) -> None:
    (pascal / "sal_distill" / "2008_000002.png").unlink()
    with pytest.raises(DatasetError, match=r"lacks ground truth of sal for 1 of.*2008_000002"):
        open_pascal(pascal, PASCAL)
    (nyud / "images" / "0001.png").unlink()
    with pytest.raises(DatasetError, match=r"lacks 1 of the images in the list.*0001"):
        open_nyud(nyud, NYUD)


def test_an_empty_list_and_a_strange_annotation_are_told(pascal: Path, nyud: Path) -> None:
    (nyud / "gt_sets" / "val.txt").write_text("")
    with pytest.raises(DatasetError, match="lists no image"):
        open_nyud(nyud, NYUD)
    savemat(pascal / "human_parts" / "2008_000001.mat", {"anno": np.zeros((2, 2))})
    with pytest.raises(DatasetError, match="no annotation of objects"):
        open_pascal(pascal, PASCAL)[0]


def test_the_layouts_are_told_apart(pascal: Path, nyud: Path) -> None:
    def kind(root: Path) -> str:
        return next(kind for kind, mark in MARKS.items() if (root / mark).is_dir())

    assert kind(pascal) == "pascal-context" and kind(nyud) == "nyud-v2"
