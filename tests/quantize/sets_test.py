"""The three sets: disjoint, stable, and large enough."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.quantize.conftest import ENOUGH, noise, write
from tests.support.datasets import write_folder

from sakedge.errors import (
    DatasetError,
    ImageError,
    OptionError,
    SourceError,
)
from sakedge.format import Manifest, StudentFile
from sakedge.quantizing import images, sets
from sakedge.quantizing.images import ThreeSets
from sakedge.quantizing.inputs import Images, inputs_of


def silent(step: str, share: float) -> None:
    pass


@pytest.fixture(scope="module")
def manifest(tiny_student: Path) -> Manifest:
    with StudentFile.open(tiny_student) as file:
        return file.manifest


def choose(manifest: Manifest, calibration: Any, evaluation: Any = None) -> ThreeSets:
    return images.choose(calibration, evaluation, "auto", manifest, silent)


def pixels(found: ThreeSets) -> list[set[bytes]]:
    calibration = found.calibration
    return [
        {calibration[i].pixels.tobytes() for i in range(len(calibration))},
        *(
            {data[i].image.pixels.tobytes() for i in range(len(data))}
            for data in (found.search, found.judge)
        ),
    ]


def test_one_folder_is_divided_in_three_that_share_no_picture(
    manifest: Manifest, folder: Path, tmp_path: Path
) -> None:
    parts = pixels(choose(manifest, folder))
    assert [len(part) for part in parts] == [16, 16, 16]
    assert len(set.union(*parts)) == ENOUGH


def test_the_division_depends_on_the_pictures_alone(
    manifest: Manifest, folder: Path, tmp_path: Path
) -> None:
    renamed = tmp_path / "renamed"
    renamed.mkdir()
    for i, path in enumerate(sorted(folder.iterdir(), reverse=True)):
        Image.open(path).save(renamed / f"x{i:03d}.tiff")
    assert pixels(choose(manifest, renamed)) == pixels(choose(manifest, folder))


def test_copies_of_a_picture_stay_in_one_set_and_count_once(
    manifest: Manifest, folder: Path, tmp_path: Path
) -> None:
    doubled = tmp_path / "doubled"
    shutil.copytree(folder, doubled)
    for path in folder.iterdir():
        shutil.copy(path, doubled / f"copy-{path.name}")
    assert pixels(choose(manifest, doubled)) == pixels(choose(manifest, folder))
    next(doubled.glob("0*")).unlink()
    missing = tmp_path / "few"
    shutil.copytree(doubled, missing)
    for path in missing.glob("*010.png"):
        path.unlink()
    with pytest.raises(DatasetError, match="at least 48 different images, 16 in each of 3 parts"):
        choose(manifest, missing)


def test_a_data_set_is_halved_and_shares_nothing_with_the_calibration(
    manifest: Manifest, tmp_path: Path
) -> None:
    write_folder(tmp_path / "data", 2 * sets.FEWEST_TO_JUDGE)
    calibration = write(tmp_path / "calibration", noise(8))
    found = choose(manifest, calibration, tmp_path / "data")
    assert (len(found.calibration), len(found.search), len(found.judge)) == (8, 16, 16)
    assert found.judge.name == "data, held out"
    assert not {*found.search.ids} & {*found.judge.ids}
    shutil.copy(tmp_path / "data" / "images" / "part-3.png", calibration)
    with pytest.raises(DatasetError, match="1 of the calibration images are also in"):
        choose(manifest, calibration, tmp_path / "data")


@pytest.mark.parametrize(
    ("calibrating", "judging", "said"),
    [(7, 32, "at least 8 different images; got 7"), (8, 31, "at least 32 different images")],
)
def test_too_few_images_are_refused_with_the_number_needed(
    manifest: Manifest, tmp_path: Path, calibrating: int, judging: int, said: str
) -> None:
    write_folder(tmp_path / "data", judging)
    calibration = write(tmp_path / "calibration", noise(calibrating))
    with pytest.raises(DatasetError, match=said):
        choose(manifest, calibration, tmp_path / "data")


def test_calibration_images_that_cannot_be_used(
    manifest: Manifest, folder: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(SourceError, match="has no image in it"):
        choose(manifest, empty)
    with pytest.raises(SourceError, match="no such source"):
        choose(manifest, tmp_path / "absent")
    with pytest.raises(OptionError, match="a folder of images, a glob, or a list"):
        choose(manifest, iter(noise(3)))
    bad = tmp_path / "bad"
    shutil.copytree(folder, bad)
    (bad / "007.png").write_bytes((folder / "007.png").read_bytes()[:200])
    with pytest.raises(ImageError, match=r"007\.png is truncated or damaged"):
        choose(manifest, bad)
    large = tmp_path / "large"
    shutil.copytree(folder, large)
    Image.new("RGB", (97, 64)).save(large / "011.png")
    with pytest.raises(ImageError, match=r"011\.png is larger than the student's input"):
        choose(manifest, large)


@pytest.mark.parametrize(("fit", "inputs"), [("letterbox", 1), ("tile", 4), ("pad", 1)])
def test_images_of_another_size_are_fitted_as_the_student_fits_them(
    manifest: Manifest, fit: str, inputs: int
) -> None:
    preprocess = manifest.preprocess.model_copy(update={"fit": fit})
    fitted = manifest.model_copy(update={"preprocess": preprocess})
    size = (50, 70) if fit == "pad" else (200, 300)
    (picture,) = noise(1, size=size)
    found = list(inputs_of(Images.open([picture], fitted)[0], fitted))
    assert len(found) == inputs
    assert {each.shape for each in found} == {(1, 3, 64, 96)}
    assert all(np.ptp(each) > 1 for each in found)


def test_more_images_than_help_are_not_used() -> None:
    assert sets.spread(3, 8) == (0, 1, 2)
    assert sets.spread(1000, 5) == (0, 250, 500, 749, 999)
