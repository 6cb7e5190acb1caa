"""patches_* against float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.cuda.arithmetic import ARITHMETICS, Arithmetic, U
from tests.cuda.emulator import Emulator, floats

GRID = (2, 3)
SIZE = (32, 48)
CHANNELS = 136
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
KINDS = {"uint8": 0, "uint16": 1, "float32": 2, "planes": 3}
PLACES = {
    "the whole input": (*SIZE, 0, 0),
    "the middle": (20, 30, 6, 9),
    "a corner": (7, 5, 25, 43),
    "one pixel": (1, 1, 16, 16),
    "whole rows": (3, 48, 15, 0),
    "whole columns": (32, 9, 0, 20),
}

Array = NDArray[np.float64]

pytestmark = pytest.mark.parametrize("arithmetic", ARITHMETICS, ids=lambda a: a.name)


def pixels(kind: str, height: int, width: int, shift: int = 0) -> NDArray[Any]:
    """Random pixels that begin `shift` elements behind a multiple of 16 bytes."""
    random = np.random.default_rng(height)
    count = 3 * height * width
    dtype = np.dtype("float32" if kind == "planes" else kind)
    buffer = np.zeros(count + shift + 16, dtype)
    start = -buffer.__array_interface__["data"][0] % 16 // dtype.itemsize + shift
    values = buffer[start : start + count]
    if dtype == np.float32:
        values[:] = random.normal(size=count) if kind == "planes" else random.random(count)
    else:
        values[:] = random.integers(0, np.iinfo(dtype).max + 1, count)
        values[:2] = 0, np.iinfo(dtype).max
    return values.reshape((3, height, width) if kind == "planes" else (height, width, 3))


def expected(kind: str, array: NDArray[Any], top: int, left: int) -> tuple[Array, Array]:
    """A picture's rows [tokens, 3 * 256], and how far float32 may be off.

    Scale and shift are rounded; 1 / white and its product with the scale as well; then one fma.
    """
    values = array.astype(np.float64)
    if kind == "planes":
        off = np.zeros_like(values)
    else:
        white = 1 if kind == "float32" else np.iinfo(array.dtype).max
        values = values / white / STD
        off = U * (3 * values + MEAN / STD)
        values = values - MEAN / STD
        off += U * np.abs(values)
        values, off = values.transpose(2, 0, 1), off.transpose(2, 0, 1)
    placed = np.zeros((2, 3, *SIZE))
    height, width = values.shape[1:]
    placed[:, :, top : top + height, left : left + width] = values, off
    cut = placed.reshape(2, 3, GRID[0], 16, GRID[1], 16).transpose(0, 2, 4, 1, 3, 5)
    rows, rows_off = cut.reshape(2, GRID[0] * GRID[1], 768)
    return rows, 1.01 * rows_off


def patches(
    emulator: Emulator, arithmetic: Arithmetic, pictures: list[tuple[str, NDArray[Any], int, int]]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Runs the kernel; returns rows [images, tokens, 768], x0, and the class row."""
    tokens = GRID[0] * GRID[1]
    out = arithmetic.full((len(pictures), tokens, 768))
    x = np.full((len(pictures), 1 + tokens, CHANNELS), np.nan, np.float32)
    class_row = np.random.default_rng(0).normal(size=CHANNELS).astype(np.float32)
    fields = []
    for kind, array, top, left in pictures:
        height, width = array.shape[1:] if kind == "planes" else array.shape[:2]
        array.setflags(write=False)
        place = {"height": height, "width": width, "top": top, "left": left}
        fields.append({"pixels": array, "type": KINDS[kind], **place})
    emulator.launch(
        f"patches_{arithmetic.name}",
        grid=(1 + -(-tokens // 4), len(pictures), 1),
        args={
            "pictures": emulator.structs("Picture", fields),
            "out": out,
            "class_row": class_row,
            "x": x,
            "grid_height": GRID[0],
            "grid_width": GRID[1],
            "channels": CHANNELS,
            "mul": list(1 / STD),
            "add": list(-MEAN / STD),
        },
    )
    return floats(out), x, class_row


def check(
    arithmetic: Arithmetic,
    got: NDArray[np.float32],
    picture: tuple[str, NDArray[Any], int, int],
) -> None:
    rows, off = expected(*picture)
    outside = off + np.abs(rows) == 0
    assert (np.abs(got - rows) <= off * (1 + arithmetic.unit) + arithmetic.rounding(rows)).all()
    assert (got[outside] == 0).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("shift", [0, 1])
def test_a_picture_is_normalised_then_placed_on_zeros(
    emulator: Emulator, arithmetic: Arithmetic, kind: str, place: str, shift: int
) -> None:
    height, width, top, left = PLACES[place]
    picture = kind, pixels(kind, height, width, shift), top, left
    got, _, _ = patches(emulator, arithmetic, [picture])
    check(arithmetic, got[0], picture)


def test_pictures_of_all_kinds_in_one_batch(emulator: Emulator, arithmetic: Arithmetic) -> None:
    pictures = [
        (kind, pixels(kind, height, width), top, left)
        for kind, (height, width, top, left) in zip(KINDS, PLACES.values(), strict=False)
    ]
    got, _, _ = patches(emulator, arithmetic, pictures)
    for rows, picture in zip(got, pictures, strict=True):
        check(arithmetic, rows, picture)


def test_every_image_gets_the_class_token_and_nothing_else(
    emulator: Emulator, arithmetic: Arithmetic
) -> None:
    _, x, class_row = patches(emulator, arithmetic, [("uint8", pixels("uint8", *SIZE), 0, 0)] * 3)
    np.testing.assert_array_equal(x[:, 0], [class_row] * 3)
    assert np.isnan(x[:, 1:]).all()


def test_a_pixel_that_is_no_number_stays_one(emulator: Emulator, arithmetic: Arithmetic) -> None:
    for kind, at in (("float32", (20, 33, 1)), ("planes", (1, 20, 33))):
        array = pixels(kind, *SIZE)
        array[at] = np.nan
        got, _, _ = patches(emulator, arithmetic, [(kind, array, 0, 0)])
        where = np.argwhere(np.isnan(got[0]))
        assert where.tolist() == [[GRID[1] + 2, 256 + 4 * 16 + 1]]
