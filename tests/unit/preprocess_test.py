"""The paper's pre-processing, against float64."""

from __future__ import annotations

import numpy as np
import pytest

from sakedge.errors import ImageError, OptionError
from sakedge.format import Preprocess
from sakedge.images import Picture, read
from sakedge.images.fit import Normalizer, check_fit, letterbox, pad, resize
from sakedge.images.window import Window

PAPER = Preprocess()
MEAN, STD = np.array(PAPER.mean), np.array(PAPER.std)
NORMALIZE = Normalizer(PAPER)
ROUNDING = 2**-22 * 2.7
"""Scale, shift and two operations in float32, of values up to 2.7."""


@pytest.mark.parametrize(("dtype", "white"), [("uint8", 255), ("uint16", 65535), ("float32", 1)])
def test_normalising_agrees_with_float64(dtype: str, white: int) -> None:
    values = np.random.default_rng(0).random((6, 5, 3)) * white
    pixels = values.astype(dtype)
    expected = (pixels.astype(np.float64) / white - MEAN) / STD
    ours = NORMALIZE(pixels)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, expected.transpose(2, 0, 1), atol=ROUNDING, rtol=0)


def test_padding_is_zero_after_normalising_with_half_the_difference_before() -> None:
    white = Picture(np.full((3, 4, 3), 255, np.uint8))
    view = pad(white, (8, 9))
    image, window = NORMALIZE.input(view), view.window
    assert window == Window(3, 4, 2, 2)
    inside = np.zeros((8, 9), bool)
    inside[2:5, 2:6] = True
    assert (image[:, ~inside] == 0).all()
    np.testing.assert_allclose(
        image[:, inside], np.repeat(((1 - MEAN) / STD)[:, None], 12, 1), atol=ROUNDING
    )


def test_an_image_of_the_right_size_is_neither_padded_nor_resized() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (8, 9, 3), np.uint8)
    for fit in (pad, letterbox):
        view = fit(Picture(pixels), (8, 9))
        image, window = NORMALIZE.input(view), view.window
        assert window == Window(8, 9)
        np.testing.assert_array_equal(image, NORMALIZE(pixels))


@pytest.mark.parametrize("size", [(9, 4), (4, 10)])
def test_a_larger_image_is_not_padded_but_told_what_to_do(size: tuple[int, int]) -> None:
    with pytest.raises(ImageError, match=r"letterbox.*tile"):
        pad(read(np.zeros((*size, 3), np.uint8)), (8, 9))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_shrinking_does_not_alias(dtype: str) -> None:
    """Stripes finer than the new pixels average out instead of aliasing."""
    white = 1 if dtype == "float32" else np.iinfo(dtype).max
    stripes = np.zeros((64, 64, 3), dtype)
    stripes[:, ::2] = white
    small = resize(stripes, (10, 10)).astype(np.float64)
    small /= white if small.max() > 1 else 1
    np.testing.assert_allclose(small[:, 1:-1], 0.5, atol=0.02)


def test_letterbox_keeps_the_aspect_and_uses_all_of_one_side() -> None:
    view = letterbox(Picture(np.full((30, 60, 3), 9, np.uint8)), (16, 16))
    image, window = NORMALIZE.input(view), view.window
    used = (image != 0).all(axis=0)
    assert used.any(axis=1).sum() == 8
    assert used.any(axis=0).sum() == 16
    assert window == Window(30, 60, 4, 0, 8 / 30, 16 / 60)


def test_letterbox_of_a_line_keeps_at_least_one_row() -> None:
    view = letterbox(Picture(np.full((1, 900, 3), 9, np.uint8)), (16, 16))
    image, window = NORMALIZE.input(view), view.window
    assert (image != 0).all(axis=0).any(axis=1).sum() == 1
    assert (window.height, window.width) == (1, 900)


def test_an_unknown_fit_lists_what_there_is() -> None:
    with pytest.raises(OptionError, match="pad, letterbox, tile"):
        check_fit("stretch")
