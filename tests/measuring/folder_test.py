"""The layout `folder`: what it gives, and what is said of faults."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.datasets import SIZE

from sakedge.errors import DatasetError, ImageError, OptionError, UnknownTaskError
from sakedge.format import Manifest
from sakedge.measuring.data import Dataset, check, open_dataset, subset

Make = Callable[..., Path]


def test_it_gives_images_and_truth_in_the_students_tasks(folder: Make, manifest: Manifest) -> None:
    data = open_dataset(folder(3), manifest)
    assert data.name == "data" and data.ids == ("part-0", "part-1", "part-2")
    assert data.tasks == manifest.task_names
    example = data[1]
    assert example.id == "part-1" and example.image.size == SIZE
    assert {task: (each.dtype.name, each.shape) for task, each in example.truth.items()} == {
        "defects": ("uint8", SIZE),
        "edge": ("uint8", SIZE),
        "sal": ("uint8", SIZE),
        "normals": ("float32", (*SIZE, 3)),
        "height": ("float32", SIZE),
    }
    lengths = np.linalg.norm(example.truth["normals"], axis=2)
    assert np.all((np.abs(lengths - 1) < 1e-6) | (lengths == 0))


def test_values_are_read_as_the_description_says(folder: Make, manifest: Manifest) -> None:
    root = folder(1)
    (root / "height" / "part-0.npy").unlink()
    millimetres = np.full(SIZE, 2500, np.uint16)
    Image.fromarray(millimetres).save(root / "height" / "part-0.png")
    (root / "sal" / "part-0.npy").unlink()
    mask = np.where(np.arange(SIZE[1]) < 48, 255, 0) * np.ones((SIZE[0], 1), np.int64)
    Image.fromarray(mask.astype(np.uint8)).save(root / "sal" / "part-0.png")
    described = {
        "name": "line 3",
        "tasks": {
            "height": {"scale": 0.001},
            "sal": {"positive": 255},
            "edge": {"edge_tolerance": 0.011},
            "defects": {"ignore": 255, "background": 0},
        },
    }
    (root / "dataset.json").write_text(json.dumps(described))
    data = open_dataset(root, manifest)
    assert data.name == "line 3"
    assert data.rules["edge"].edge_tolerance == 0.011 and data.rules["defects"].background == 0
    truth = data[0].truth
    assert np.allclose(truth["height"], 2.5)
    assert np.array_equal(truth["sal"], mask == 255)


def test_normals_may_be_a_picture_whose_middle_grey_is_none(
    folder: Make, manifest: Manifest
) -> None:
    root = folder(1)
    (root / "normals" / "part-0.npy").unlink()
    pixels = np.full((*SIZE, 3), 128, np.uint8)
    pixels[:, 48:] = (128, 128, 255)
    Image.fromarray(pixels).save(root / "normals" / "part-0.png")
    normals = open_dataset(root, manifest)[0].truth["normals"]
    assert not normals[:, :48].any()
    assert np.allclose(normals[:, 48:], (0, 0, 1), atol=0.01)


def test_labels_of_a_palette_are_its_indices(folder: Make, manifest: Manifest) -> None:
    root = folder(1)
    labels = np.arange(SIZE[0] * SIZE[1], dtype=np.uint8).reshape(SIZE) % 4
    picture = Image.fromarray(labels)
    picture.putpalette([90, 90, 90, 1, 2, 3, 200, 0, 0, 7, 7, 7])
    picture.save(root / "defects" / "part-0.png")
    assert np.array_equal(open_dataset(root, manifest)[0].truth["defects"], labels)


def test_a_digest_names_the_contents(folder: Make, manifest: Manifest) -> None:
    one, same = (open_dataset(folder(3, name), manifest) for name in ("one", "same"))
    assert one.digest == same.digest
    assert subset(one, [2, 0], "some").digest != one.digest
    root = folder(3, "other")
    np.save(root / "edge" / "part-1.npy", np.zeros(SIZE, np.bool_))
    assert open_dataset(root, manifest).digest != one.digest
    assert open_dataset(root, manifest, tasks=["sal"]).digest != one.digest


def test_the_same_picture_is_found_in_another_file(folder: Make, manifest: Manifest) -> None:
    root = folder(2)
    data = open_dataset(root, manifest)
    before, file_before = data.image_digest(0), data.item_digest(0)
    Image.open(root / "images" / "part-0.png").save(root / "images" / "part-0.tif")
    (root / "images" / "part-0.png").unlink()
    again = open_dataset(root, manifest)
    assert again.image_digest(0) == before != again.image_digest(1)
    assert again.item_digest(0) != file_before


def test_a_subset_is_a_data_set(folder: Make, manifest: Manifest) -> None:
    data = open_dataset(folder(4), manifest)
    half: Dataset = subset(data, [3, 1], "half")
    assert half.ids == ("part-3", "part-1") and len(half) == 2 and half.name == "half"
    assert half[0].id == "part-3"
    assert half.image_digest(1) == data.image_digest(1)


def _remove(root: Path) -> None:
    (root / "edge" / "part-1.npy").unlink()
    (root / "edge" / "part-2.npy").unlink()


def _double(root: Path) -> None:
    (root / "sal" / "part-1.png").write_bytes(b"")


def _double_image(root: Path) -> None:
    picture = Image.open(root / "images" / "part-0.png")
    picture.save(root / "images" / "part-0.bmp")


def _empty(root: Path) -> None:
    for path in (root / "images").iterdir():
        path.unlink()


def _misspell(root: Path) -> None:
    (root / "edge").rename(root / "egde")


def _describe_badly(root: Path) -> None:
    (root / "dataset.json").write_text('{"tasks": {"height": {"skale": 2}}}')


def _describe_another_kind(root: Path) -> None:
    (root / "dataset.json").write_text('{"tasks": {"height": {"ignore": 9}}}')


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_describe_another_kind, "says of height what no scalar task has; expected scale"),
        (_remove, "lacks ground truth of edge for 2 of its images.*part-1, part-2"),
        (_double, "two files of one name.*part-1.npy and part-1.png"),
        (_double_image, "two files of one name.*part-0.bmp and part-0.png"),
        (_empty, "has no image in it"),
        (_misspell, "task that the student does not have.*egde"),
        (_describe_badly, "does not describe a data set.*skale"),
    ],
)
def test_faults_that_are_seen_at_once(
    folder: Make, manifest: Manifest, spoil: Callable[[Path], None], told: str
) -> None:
    root = folder(3)
    spoil(root)
    with pytest.raises(DatasetError, match=told):
        open_dataset(root, manifest)


def _size(root: Path) -> None:
    np.save(root / "height" / "part-1.npy", np.ones((32, 96), np.float32))


def _label(root: Path) -> None:
    Image.fromarray(np.full(SIZE, 9, np.uint8)).save(root / "defects" / "part-1.png")


def _fraction(root: Path) -> None:
    np.save(root / "edge" / "part-1.npy", np.full(SIZE, 0.5))


def _neither(root: Path) -> None:
    np.save(root / "sal" / "part-1.npy", np.full(SIZE, 128, np.uint8))


def _damage(root: Path) -> None:
    path = root / "defects" / "part-1.png"
    path.write_bytes(path.read_bytes()[:60])


def _pickle(root: Path) -> None:
    np.save(root / "height" / "part-1.npy", np.array([{"a": 1}]), allow_pickle=True)


def _colours(root: Path) -> None:
    Image.new("RGB", SIZE[::-1]).save(root / "defects" / "part-1.png")


def _ignore_all(root: Path) -> None:
    for path in (root / "defects").iterdir():
        Image.fromarray(np.full(SIZE, 255, np.uint8)).save(path)


def _mask_of_255(root: Path) -> None:
    for path in (root / "sal").iterdir():
        np.save(path, np.load(path) * np.uint8(255))


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_size, "size of its image; expected 64 x 96; got 32 x 96"),
        (_label, "labels that the task defects does not have; expected 0 to 3.*got 9 at 6144"),
        (_fraction, "holds fractions"),
        (_neither, "mean neither yes nor no; expected 0 or 1 or 255; got 128"),
        (_damage, "cannot read ground truth"),
        (_pickle, "cannot read ground truth"),
        (_colours, "has colours where one number per pixel is needed"),
        (_ignore_all, "says nothing about defects"),
        (_mask_of_255, 'no positive pixel of sal.*`"positive": 255`'),
    ],
)
def test_faults_that_are_seen_before_anything_is_measured(
    folder: Make, manifest: Manifest, spoil: Callable[[Path], None], told: str
) -> None:
    root = folder(3)
    spoil(root)
    data = open_dataset(root, manifest)
    with pytest.raises(DatasetError, match=told):
        check(data, manifest)


def test_an_image_that_cannot_be_read_is_seen_too(folder: Make, manifest: Manifest) -> None:
    root = folder(2)
    (root / "images" / "part-1.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(ImageError, match="part-1"):
        check(open_dataset(root, manifest), manifest)


def test_what_is_no_data_set(tmp_path: Path, folder: Make, manifest: Manifest) -> None:
    with pytest.raises(DatasetError, match=r"is no data set.*no such folder"):
        open_dataset(tmp_path / "nowhere", manifest)
    with pytest.raises(DatasetError, match="is no data set"):
        open_dataset(tmp_path, manifest)
    with pytest.raises(OptionError, match="kind of data set"):
        open_dataset(tmp_path, manifest, "coco")
    root = folder(1)
    with pytest.raises(UnknownTaskError, match="semseg"):
        open_dataset(root, manifest, tasks="semseg")


def test_a_task_that_was_asked_for_needs_ground_truth(folder: Make, manifest: Manifest) -> None:
    root = folder(2)
    _misspell(root)
    assert open_dataset(root, manifest, tasks=["sal"]).tasks == ("sal",)
    with pytest.raises(DatasetError, match="no ground truth for edge"):
        open_dataset(root, manifest, tasks=["sal", "edge"])
