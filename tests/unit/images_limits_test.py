"""Work is bounded by an image's header, before anything is decoded or copied."""

from __future__ import annotations

import io
import struct
import tracemalloc
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.support.encoded import TURNED, exif, png_header, save, tiff, with_app1

from sakedge.errors import ImageError, OptionError
from sakedge.images import read
from sakedge.images.limits import MAX_PIXELS

RGB = np.random.default_rng(0).integers(0, 256, (40, 56, 3), np.uint8)


def _header(name: str, height: int, width: int) -> bytes:
    """A small file that announces a size."""
    if name == "PNG":
        return png_header(height, width)
    if name == "TIFF":
        return tiff([b"x"], (height, width))
    if name == "Netpbm":
        return f"P6 {width} {height} 255\n".encode()
    data = bytearray(save(RGB, name, lossless=True))
    if name == "JPEG":
        at = data.index(b"\xff\xc0") + 5
        data[at : at + 4] = struct.pack(">HH", height, width)
    elif name == "BMP":
        data[18:26] = struct.pack("<ii", width, height)
    elif name == "GIF":
        data[6:10] = struct.pack("<HH", width, height)
    elif name == "JPEG2000":
        at = data.index(b"\xff\x4f\xff\x51") + 8
        data[at : at + 8] = struct.pack(">II", width, height)
        at = data.index(b"ihdr") + 4
        data[at : at + 8] = struct.pack(">II", height, width)
    elif name == "WEBP":
        lossless = data.index(b"VP8L") + 9
        bits = (width - 1) | (height - 1) << 14
        data[lossless : lossless + 4] = struct.pack("<I", bits)
    return bytes(data)


LARGE = {
    "PNG": 60_000,
    "TIFF": 60_000,
    "Netpbm": 60_000,
    "JPEG": 60_000,
    "BMP": 60_000,
    "GIF": 60_000,
    "JPEG2000": 60_000,
    "WEBP": 16_000,
}


@pytest.mark.parametrize("name", LARGE)
def test_a_header_that_announces_too_much_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)  # Pillow's limit and warnings are not ours
    side = LARGE[name]
    data = _header(name, side, side)
    tracemalloc.start()
    with pytest.raises(ImageError, match=f"{side * side} pixels.*raise max_pixels"):
        read(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20
    with pytest.raises(ImageError, match=rf"{side} x {side}.*fit='letterbox'"):
        read(data, largest=(64, 96))


def test_the_limit_is_an_argument_and_pillows_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    for name in ("PNG", "JPEG", "TIFF", "GIF", "BMP", "PPM", "TGA"):
        data = save(RGB, name)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert read(data, max_pixels=40 * 56).size == (40, 56)
        for given in (data, io.BytesIO(data), RGB, Image.fromarray(RGB)):
            with pytest.raises(ImageError, match="at most 2239 pixels"):
                read(given, max_pixels=40 * 56 - 1)


@pytest.mark.parametrize("limit", [0, -1, 1.5, True, "many"])
def test_a_limit_that_is_none_is_refused(limit: Any) -> None:
    with pytest.raises(OptionError, match="max_pixels"):
        read(RGB, max_pixels=limit)


def test_what_has_to_fit_is_judged_as_it_will_be_seen(tmp_path: Path) -> None:
    turned = with_app1(save(RGB, "JPEG"), exif(TURNED))
    assert read(turned, largest=(56, 40)).size == (56, 40)
    with pytest.raises(ImageError, match="got 56 x 40"):
        read(turned, largest=(40, 56))


def test_bytes_are_bounded_as_pixels_are() -> None:
    side = 13_000  # within the limit of pixels
    assert side * side < MAX_PIXELS
    kind: dict[str, Any] = {"bits": 32, "samples": 3, "photometric": 2}
    with pytest.raises(ImageError, match="bytes when decoded"):
        read(tiff([b"x"], (side, side), **kind, fields={339: (3, [3] * 3)}))
    with pytest.raises(ImageError, match="bytes when decoded"):  # a tile much larger than the image
        read(tiff([b"x"], (4, 4), tile=(160_000, 160_000)))


def test_a_huge_broadcast_array_is_refused_before_it_is_copied() -> None:
    for shape in ((10**6, 10**6, 3), (10**6, 10**6)):
        with pytest.raises(ImageError, match="the array is larger"):
            read(np.broadcast_to(np.uint8(3), shape))


def test_grey_is_kept_once_for_all_channels() -> None:
    pixels = read(RGB[..., 0]).pixels
    assert pixels.shape == (40, 56, 3)
    assert pixels.strides[2] == 0


@pytest.mark.parametrize(
    "fields",
    [
        {273: (4, [8] * 3)},  # fewer strips than there are
        {273: (4, [2**32 - 1] * 40), 278: (4, [1]), 279: (4, [2**32 - 1] * 40)},
        {259: (3, [8]), 273: (4, [0] * 40), 278: (4, [1]), 279: (4, [2**31] * 40)},
        {278: (4, [0])},
        {277: (3, [65535])},
        {258: (3, [0])},
    ],
)
def test_hostile_directories_of_tiff_are_refused(fields: dict[int, tuple[int, list[int]]]) -> None:
    with pytest.raises(ImageError):
        read(tiff([bytes(100)] * 40, (40, 56), fields=fields))


def test_a_directory_of_more_fields_than_the_file_has_bytes_ends_with_the_file() -> None:
    data = bytearray(tiff([RGB[..., 0].tobytes()], (40, 56)))
    at = struct.unpack_from("<I", data, 4)[0]
    data[at : at + 2] = b"\xff\xff"
    np.testing.assert_array_equal(read(bytes(data)).pixels[..., 0], RGB[..., 0])


def test_a_bomb_of_compressed_data_gives_no_more_than_its_header_says() -> None:
    bomb = zlib.compress(bytes(50 << 20))
    tracemalloc.start()
    picture = read(tiff([bomb], (4, 4), fields={259: (3, [8])}))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert picture.pixels.max() == 0
    assert peak < 1 << 20
