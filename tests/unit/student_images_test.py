"""Images of any size through a student: padding, letterbox and tiles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.kernels import reference
from tests.support.pictures import FLOAT32_NOISE, picture, same

import sakedge
from sakedge.errors import ImageError, OptionError
from sakedge.images.tiling import Grid


@pytest.fixture(scope="module")
def student(tiny_student: Path) -> Iterator[sakedge.Student]:
    with sakedge.load(tiny_student, backend="onnxruntime") as student:
        yield student


def test_files_arrays_and_pil_images_are_the_same_picture(
    student: sakedge.Student, tmp_path: Path
) -> None:
    array = picture(64, 96)
    image = Image.fromarray(array)
    image.save(tmp_path / "part.png")
    results = student([tmp_path / "part.png", array, image, str(tmp_path / "part.png")])
    assert all(same(result, results[1]) for result in results)
    assert results[0].source == str(tmp_path / "part.png")
    assert same(student(array[..., ::-1].copy(), color="bgr"), student(array), 0)
    np.testing.assert_array_equal(results[0].image, array)


def test_depth_of_grey_and_of_16_bits_does_not_change_the_picture(student: sakedge.Student) -> None:
    grey = picture(64, 96)[..., 0]
    results = [
        student(image)
        for image in (grey, grey.astype(np.uint16) * 257, grey / 255.0, grey[..., None])
    ]
    assert all(same(result, results[0]) for result in results)


@pytest.mark.parametrize("size", [(64, 96), (63, 95), (20, 96), (1, 1)])
def test_padded_results_are_the_logits_inside_the_border(
    size: tuple[int, int], student: sakedge.Student
) -> None:
    result = student(picture(*size), fit="pad", logits=True)
    top, left = (64 - size[0]) // 2, (96 - size[1]) // 2
    for output in result.values():
        assert output.logits is not None
        assert output.logits.shape == (output.info.classes, 64, 96)
        inside = output.logits[:, top : top + size[0], left : left + size[1]]
        decoded = reference.decode(output.info.kind, np.moveaxis(inside, 0, -1))
        np.testing.assert_allclose(output.values, decoded, atol=1e-6)


def test_a_letterbox_that_only_pads_is_padding(student: sakedge.Student) -> None:
    image = picture(40, 96)
    assert same(student(image, fit="letterbox"), student(image, fit="pad"), 0)


@pytest.mark.parametrize("size", [(640, 960), (32, 48), (100, 900)])
def test_letterbox_results_are_in_the_images_own_coordinates(
    size: tuple[int, int], student: sakedge.Student
) -> None:
    """Where the picture is resized k-fold, every k-th pixel matches the small picture's."""
    from sakedge.images.fit import resize

    image = picture(*size)
    scale = min(64 / size[0], 96 / size[1])
    inner = (round(size[0] * scale), round(size[1] * scale))
    small = student(resize(image, inner), fit="pad")
    large = student(image, fit="letterbox")
    ys = ((np.arange(inner[0]) + 0.5) * size[0] / inner[0]).astype(int)
    xs = ((np.arange(inner[1]) + 0.5) * size[1] / inner[1]).astype(int)
    for task in ("edge", "height"):
        assert large[task].values.shape == size
        sampled = large[task].values[np.ix_(ys, xs)]
        # The centres differ by half a pixel of the image at most; the maps are smooth over that.
        step = np.abs(np.diff(small[task].values, axis=1)).max()
        step += np.abs(np.diff(small[task].values, axis=0)).max()
        slack = step * max(0.5 * scale, 0.5 if scale > 1 else 0) + 1e-4
        assert np.abs(sampled - small[task].values).max() <= slack


def test_padding_refuses_a_larger_image_and_says_what_to_do(student: sakedge.Student) -> None:
    with pytest.raises(ImageError, match=r"65 x 96.*letterbox.*tile"):
        student(picture(65, 96))


@pytest.mark.parametrize("size", [(64, 97), (150, 200), (30, 250), (200, 20)])
def test_tiles_are_blended_before_they_are_decoded(
    size: tuple[int, int], student: sakedge.Student
) -> None:
    """Against every tile run as an image of its own, summed in float64."""
    image = picture(*size)
    grid = Grid.over(size, student.input_size)
    rows, columns = grid.rows.weights(), grid.columns.weights()
    blended = {t.name: np.zeros((t.classes, *size)) for t in student.manifest.tasks}
    for row in range(len(grid.rows.starts)):
        for tile in grid.row(row):
            place = tile.inside(grid)
            part = student(image[place].copy(), fit="pad", logits=True)
            top, left = ((a - b) // 2 for a, b in zip((64, 96), grid.tile, strict=True))
            weight = np.outer(rows[tile.row], columns[tile.column]).astype(np.float64)
            for task, output in part.items():
                inside = output.logits[:, top : top + grid.tile[0], left : left + grid.tile[1]]
                blended[task][(slice(None), *place)] += inside * weight
    result = student(image, fit="tile")
    for task, output in result.items():
        expected = reference.decode(output.info.kind, np.moveaxis(blended[task], 0, -1))
        if output.info.kind == "labels":
            assert np.mean(output.values == expected) > 0.999
        else:
            np.testing.assert_allclose(output.values, expected, atol=FLOAT32_NOISE)
    routing = np.asarray(result.routing["edge"])
    np.testing.assert_allclose(routing.sum(axis=1), 1, atol=1e-6)


def test_a_tiled_image_has_no_logits(student: sakedge.Student) -> None:
    with pytest.raises(OptionError, match="no logits of a tiled image"):
        student(picture(100, 100), fit="tile", logits=True)
    assert student(picture(64, 96), fit="tile", logits=True)["edge"].logits is not None
