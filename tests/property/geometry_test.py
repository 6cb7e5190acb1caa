"""A marked pixel keeps its position at any size; the weights of tiles sum to one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sakedge.format import Preprocess
from sakedge.images import Picture
from sakedge.images.fit import Normalizer, letterbox, pad
from sakedge.images.tiling import Axis

SIDES = st.integers(1, 90)
SIZES = st.tuples(SIDES, SIDES)
PLAIN = Normalizer(Preprocess(mean=(0, 0, 0), std=(1, 1, 1)))


@given(SIZES, SIZES, st.data())
def test_padding_leads_a_pixel_back_to_its_place(
    size: tuple[int, int], more: tuple[int, int], data: st.DataObject
) -> None:
    y, x = data.draw(st.integers(0, size[0] - 1)), data.draw(st.integers(0, size[1] - 1))
    pixels = np.zeros((*size, 3), np.uint8)
    pixels[y, x] = 255
    whole = (size[0] + more[0] - 1, size[1] + more[1] - 1)
    view = pad(Picture(pixels), whole)
    image, window = PLAIN.input(view), view.window
    assert image.shape == (3, *whole)
    assert image.sum() == 3
    at = (y + 0.5) * window.scale_y + window.top, (x + 0.5) * window.scale_x + window.left
    assert image[0, int(at[0]), int(at[1])] == 1


@given(SIZES, SIZES)
def test_letterbox_leads_an_edge_back_to_its_place(
    size: tuple[int, int], whole: tuple[int, int]
) -> None:
    """A picture dark above and bright below: the window finds the edge where it was."""
    pixels = np.zeros((*size, 3), np.uint8)
    edge = size[0] // 2
    pixels[edge:] = 255
    view = letterbox(Picture(pixels), whole)
    image, window = PLAIN.input(view), view.window
    assert (window.height, window.width) == size
    bottom = window.height * window.scale_y + window.top
    right = window.width * window.scale_x + window.left
    assert 0 <= window.top < bottom <= whole[0] + 1e-9
    assert 0 <= window.left < right <= whole[1] + 1e-9
    # One side is used whole, up to the rounding to pixels.
    assert whole[0] - window.height * window.scale_y < 1 or (
        whole[1] - window.width * window.scale_x < 1
    )
    # The bright area is what lies below the edge; resampling blurs it by up to half a pixel of
    # the coarser grid at the edge, in either direction, and rounds to 1/255.
    column = image[0, :, int(window.left)]
    bright = column.astype(np.float64).sum()
    expected = bottom - (edge * window.scale_y + window.top)
    assert abs(bright - expected) <= 0.5 * max(1, window.scale_y) + len(column) / 255


@given(st.integers(1, 700), st.integers(1, 96), st.floats(0, 0.75))
def test_tiles_cover_the_length_with_the_overlap_asked_for(
    length: int, tile: int, overlap: float
) -> None:
    axis = Axis.over(length, tile, overlap)
    starts = np.array(axis.starts)
    assert starts[0] == 0
    assert starts[-1] + axis.tile == length
    steps = np.diff(starts)
    assert (steps > 0).all()
    assert (steps <= max(1, axis.tile - int(np.ceil(overlap * axis.tile)))).all()


@given(st.integers(1, 700), st.integers(1, 96), st.floats(0, 0.75))
def test_weights_of_all_tiles_over_a_pixel_add_up_to_one(
    length: int, tile: int, overlap: float
) -> None:
    axis = Axis.over(length, tile, overlap)
    total = np.zeros(length)
    for start, weights in zip(axis.starts, axis.weights(), strict=True):
        assert (weights > 0).all()
        total[start : start + axis.tile] += weights
    # Each weight is rounded to float32 once.
    np.testing.assert_allclose(total, 1, atol=len(axis.starts) * 2**-24)
