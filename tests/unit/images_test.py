"""Any image is read by a stated rule, and what is not an image is refused with a remedy."""

from __future__ import annotations

import contextlib
import io
import os
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sakedge.errors import ImageError, OptionError, SakedgeError, StorageError
from sakedge.images import read

RGB = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


def test_a_uint8_array_is_used_as_it_is_but_copied() -> None:
    array = RGB.copy()
    picture = read(array)
    array[:] = 0
    np.testing.assert_array_equal(picture.pixels, RGB)


def test_bgr_arrays_are_turned_round() -> None:
    np.testing.assert_array_equal(read(RGB[..., ::-1], color="bgr").pixels, RGB)


def test_bgr_is_refused_for_what_knows_its_own_order() -> None:
    with pytest.raises(OptionError, match="arrays only"):
        read(Image.fromarray(RGB), color="bgr")


def test_an_unknown_color_order_is_refused() -> None:
    with pytest.raises(OptionError, match="one of rgb, bgr"):
        read(RGB, color="hsv")  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1)])
def test_grey_is_repeated_in_all_channels(shape: tuple[int, ...]) -> None:
    grey = RGB[..., 0]
    pixels = read(grey.reshape(shape)).pixels
    assert pixels.shape == (5, 7, 3)
    assert all((pixels[..., c] == grey).all() for c in range(3))


@pytest.mark.parametrize("color", ["rgb", "bgr"])
def test_alpha_is_dropped(color: str) -> None:
    array = np.dstack([RGB, np.zeros((5, 7), np.uint8)])
    expected = RGB if color == "rgb" else RGB[..., ::-1]
    np.testing.assert_array_equal(read(array, color).pixels, expected)  # type: ignore[arg-type]


def test_uint16_keeps_its_depth_in_either_byte_order() -> None:
    array = RGB.astype(np.uint16) * 257 - 3
    np.testing.assert_array_equal(read(array).pixels, array)
    swapped = read(array.astype(">u2")).pixels
    np.testing.assert_array_equal(swapped, array)
    assert swapped.dtype.isnative


def test_floats_in_0_to_1_become_float32() -> None:
    array = RGB / 255.0
    pixels = read(array).pixels
    assert pixels.dtype == np.float32
    np.testing.assert_allclose(pixels, array, atol=2**-24)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (RGB.astype(np.float32), "0…1"),
        (RGB / 255 - 0.5, "0…1"),
        (np.full((2, 2, 3), np.nan), "NaN"),
        (np.full((2, 2, 3), np.inf), "NaN or infinity"),
        (RGB.astype(np.int32), "int32"),
        (RGB > 3, "bool"),
        (RGB.astype(object), "object"),
        (RGB.transpose(2, 0, 1), "transpose"),
        (RGB[np.newaxis], "list of images"),
        (RGB[..., :2], "5 x 7 x 2"),
        (RGB[0, 0], "shape 3"),
        (np.array(3, np.uint8), "scalar"),
        (RGB[:0], "no pixels"),
        (RGB[:, :0], "no pixels"),
    ],
)
def test_other_arrays_are_refused(array: np.ndarray, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        read(array)


def test_something_else_is_no_image() -> None:
    with pytest.raises(ImageError, match="got int"):
        read(5)  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_every_pillow_mode_becomes_rgb(mode: str) -> None:
    image = Image.fromarray(RGB).convert(mode)
    np.testing.assert_array_equal(read(image).pixels, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_16_bit_grey_files_keep_their_depth(suffix: str, tmp_path: Path) -> None:
    grey = np.random.default_rng(1).integers(0, 65536, (5, 7)).astype(np.uint16)
    path = tmp_path / f"grey.{suffix}"
    Image.fromarray(grey).save(path)
    pixels = read(path).pixels
    assert pixels.dtype == np.uint16
    np.testing.assert_array_equal(pixels[..., 2], grey)


def test_float_tiffs_follow_the_rule_for_floats(tmp_path: Path) -> None:
    path = tmp_path / "float.tiff"
    Image.fromarray(np.full((4, 4), 0.25, np.float32)).save(path)
    assert (read(path).pixels == np.float32(0.25)).all()
    Image.fromarray(np.full((4, 4), 25.0, np.float32)).save(path)
    with pytest.raises(ImageError, match=r"0…1"):
        read(path)


def test_exif_orientation_is_applied_to_files(tmp_path: Path) -> None:
    path = tmp_path / "turned.png"
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was rotated: show it rotated clockwise
    Image.fromarray(RGB).save(path, exif=exif)
    np.testing.assert_array_equal(read(path).pixels, np.rot90(RGB, -1))


def test_a_file_knows_its_source(tmp_path: Path) -> None:
    path = tmp_path / "part.png"
    Image.fromarray(RGB).save(path)
    picture = read(path)
    assert picture.source == str(path)
    assert picture.size == (5, 7)


def test_one_pixel_is_an_image(tmp_path: Path) -> None:
    path = tmp_path / "pixel.png"
    Image.new("RGB", (1, 1), (1, 2, 3)).save(path)
    assert read(path).pixels.tolist() == [[[1, 2, 3]]]


@pytest.mark.parametrize("suffix", ["png", "jpg", "tiff", "bmp", "webp", "gif"])
def test_a_truncated_file_is_refused_at_any_length(suffix: str, tmp_path: Path) -> None:
    whole = io.BytesIO()
    rng = np.random.default_rng(2)
    Image.fromarray(rng.integers(0, 256, (40, 40, 3), np.uint8)).save(
        whole, format={"jpg": "jpeg"}.get(suffix, suffix)
    )
    data = whole.getvalue()
    path = tmp_path / f"cut.{suffix}"
    for share in (0.02, 0.3, 0.6):
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(ImageError, match="cut"):
            read(path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tiff"])
def test_flipped_bytes_never_escape_as_another_error(suffix: str, tmp_path: Path) -> None:
    whole = io.BytesIO()
    Image.fromarray(RGB).save(whole, format={"jpg": "jpeg"}.get(suffix, suffix))
    rng = random.Random(0)
    path = tmp_path / f"flipped.{suffix}"
    for _ in range(200):
        data = bytearray(whole.getvalue())
        for _ in range(rng.randint(1, 8)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(data)
        with contextlib.suppress(SakedgeError):
            read(path)


def test_a_file_that_is_no_image_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.png"
    path.write_text("not an image at all")
    with pytest.raises(ImageError, match="not an image"):
        read(path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.png"
    path.touch()
    with pytest.raises(ImageError, match="0 bytes"):
        read(path)


def test_a_missing_file_and_a_directory_are_storage_errors(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file"):
        read(tmp_path / "gone.png")
    with pytest.raises(StorageError, match="stream"):
        read(tmp_path)


def test_a_file_without_rights_is_a_storage_error(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    Image.fromarray(RGB).save(path)
    path.chmod(0)
    me = os.geteuid()
    try:
        if me == 0:  # root may read everything; the user `nobody` may not
            os.seteuid(65534)
        with pytest.raises(StorageError, match="Permission denied"):
            read(path)
    finally:
        os.seteuid(me)
