"""Odd metadata refuses no image whose pixels are whole; pixels that are not are refused."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps
from tests.support.encoded import TURNED, chunk, exif, save, tiff, with_app1, with_chunk

from sakedge.errors import ImageError
from sakedge.images import read

RGB = np.random.default_rng(0).integers(0, 256, (40, 56, 3), np.uint8)
JPEG, PNG = save(RGB, "JPEG"), save(RGB, "PNG")
SEEN = np.asarray(Image.open(io.BytesIO(JPEG)))
LONG = zlib.compress(b"A" * (2 << 20))
BAD_COMMENT = bytearray(chunk(b"tEXt", b"Comment\0hi"))
BAD_COMMENT[-1] ^= 1
X_RESOLUTION, MAKE, WIDTH = 0x11A, 0x10F, 0x100

ODD_EXIF = {
    "a negative fraction": exif(
        TURNED, struct.pack("<HHII", X_RESOLUTION, 10, 1, 38), tail=struct.pack("<ii", -1, 1)
    ),
    "a fraction over zero": exif(
        TURNED, struct.pack("<HHII", X_RESOLUTION, 5, 1, 38), tail=struct.pack("<II", 1, 0)
    ),
    "a resolution as text": exif(TURNED, struct.pack("<HHI4s", X_RESOLUTION, 2, 4, b"72\0\0")),
    "a maker as a fraction": exif(TURNED, struct.pack("<HHII", MAKE, 5, 1, 38), tail=bytes(8)),
    "a signed width": exif(TURNED, struct.pack("<HHIi", WIDTH, 9, 1, -5)),
    "a type that is none": exif(TURNED, struct.pack("<HHII", MAKE, 99, 1, 0)),
    "a value beyond its end": exif(TURNED, struct.pack("<HHII", MAKE, 2, 1 << 31, 1 << 31)),
    "more entries than it holds": exif(TURNED).replace(b"\x01\0\x12\x01", b"\xff\xff\x12\x01"),
    "an orientation as a long": exif(struct.pack("<HHII", 0x112, 4, 1, 6)),
}
NO_ORIENTATION = {
    "nothing": b"Exif\0\0",
    "no header": b"Exif\0\0" + b"\0\x08\0\x02\x01\x12\0\x03",
    "a directory beyond its end": b"Exif\0\0II*\0\xff\xff\xff\x7f",
    "an orientation of 9": exif(struct.pack("<HHIHH", 0x112, 3, 1, 9, 0)),
    "an orientation as text": exif(struct.pack("<HHI4s", 0x112, 2, 4, b"6\0\0\0")),
    "an orientation as a fraction": exif(struct.pack("<HHII", 0x112, 5, 1, 26), tail=bytes(8)),
}


@pytest.mark.parametrize("body", ODD_EXIF.values(), ids=ODD_EXIF)
def test_odd_exif_is_passed_over_and_the_orientation_is_applied(body: bytes) -> None:
    turned = np.rot90(RGB, -1)
    np.testing.assert_array_equal(read(with_app1(JPEG, body)).pixels, np.rot90(SEEN, -1))
    png = with_chunk(PNG, chunk(b"eXIf", body[6:]))
    np.testing.assert_array_equal(read(png).pixels, turned)
    webp = save(RGB, "WEBP", lossless=True, exif=body)
    np.testing.assert_array_equal(read(webp).pixels, turned)


@pytest.mark.parametrize("body", NO_ORIENTATION.values(), ids=NO_ORIENTATION)
def test_exif_without_a_right_orientation_turns_nothing(body: bytes) -> None:
    np.testing.assert_array_equal(read(with_app1(JPEG, body)).pixels, SEEN)
    np.testing.assert_array_equal(read(with_chunk(PNG, chunk(b"eXIf", body[6:]))).pixels, RGB)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_orientations_are_those_of_pillow(orientation: int) -> None:
    entry = struct.pack("<HHIHH", 0x112, 3, 1, orientation, 0)
    turn = Image.open(io.BytesIO(with_app1(JPEG, exif(entry))))
    expected = np.asarray(ImageOps.exif_transpose(turn))
    np.testing.assert_array_equal(read(with_app1(JPEG, exif(entry))).pixels, expected)
    plane = RGB[..., 0]
    stored = tiff([plane.tobytes()], (40, 56), fields={274: (3, [orientation])})
    expected = np.asarray(ImageOps.exif_transpose(_oriented(plane, orientation)))
    np.testing.assert_array_equal(read(stored).pixels[..., 0], expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_avif_is_turned_by_its_own_boxes(orientation: int) -> None:
    Image.init()
    if "AVIF" not in Image.SAVE:
        pytest.skip("this Pillow writes no AVIF")
    entry = struct.pack("<HHIHH", 0x112, 3, 1, orientation, 0)
    maker = struct.pack("<HHI4s", MAKE, 2, 4, b"abc\0")
    avif = save(RGB, "AVIF", exif=exif(maker, entry))
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(avif))))
    np.testing.assert_array_equal(read(avif).pixels, expected)
    assert avif.count(b"II*\0") == 1
    broken = avif.replace(b"II*\0", b"XXXX")
    np.testing.assert_array_equal(read(broken).pixels, expected)


def _oriented(plane: np.ndarray, orientation: int) -> Image.Image:
    image = Image.fromarray(plane)
    image.getexif()[0x112] = orientation
    return image


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0" + LONG),
        chunk(b"zTXt", b"a\0\0" + LONG),
        chunk(b"iCCP", b"icc\0\0" + LONG),
        chunk(b"pHYs", b"\0"),
        chunk(b"gAMA", b""),
        chunk(b"acTL", b"\0"),
        chunk(b"tRNS", b""),
        chunk(b"aBCd", b"unknown"),
        bytes(BAD_COMMENT),
    ],
)
def test_odd_chunks_of_a_png_are_passed_over(extra: bytes) -> None:
    np.testing.assert_array_equal(read(with_chunk(PNG, extra)).pixels, RGB)


def test_a_png_without_its_end_is_whole_and_one_with_a_wrong_checksum_is_not() -> None:
    np.testing.assert_array_equal(read(PNG[:-12]).pixels, RGB)
    np.testing.assert_array_equal(read(PNG + b"trailing").pixels, RGB)
    damaged = bytearray(PNG)
    damaged[-13] ^= 1  # of the last IDAT
    with pytest.raises(ImageError, match="checksum of a chunk IDAT"):
        read(bytes(damaged))


def test_a_short_jfif_header_and_comments_are_passed_over() -> None:
    short = JPEG[:2] + b"\xff\xe0\0\x08JFIF\0\1" + JPEG[20:]
    np.testing.assert_array_equal(read(short).pixels, SEEN)
    comment = JPEG[:2] + b"\xff\xfe\0\x02" + JPEG[2:]
    np.testing.assert_array_equal(read(comment).pixels, SEEN)


@pytest.mark.parametrize("wrong_by", [-5, -1, 1, 3, 50, 1000, 30000])
def test_metadata_of_wrong_length_is_passed_over_and_its_thumbnail_too(wrong_by: int) -> None:
    thumbnail = save(RGB[:8, :8], "JPEG")
    jpeg = with_app1(JPEG, exif(TURNED) + thumbnail, wrong_by)
    assert sorted(read(jpeg).pixels.shape) == [3, 40, 56]
    assert read(jpeg).pixels.mean() == SEEN.mean()


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"quality": 95}]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_jpeg_without_its_end_marker_is_whole_and_without_more_is_not(
    options: dict[str, int], channels: int
) -> None:
    jpeg = save(RGB if channels == 3 else RGB[..., 0], "JPEG", **options)
    whole = read(jpeg).pixels
    np.testing.assert_array_equal(read(jpeg[:-2]).pixels, whole)
    np.testing.assert_array_equal(read(jpeg[:-1]).pixels, whole)
    for cut in range(4, 200, 3):
        try:
            assert np.array_equal(read(jpeg[:-cut]).pixels, whole)
        except ImageError as error:
            assert "too early" in str(error)
    with pytest.raises(ImageError, match="too early"):
        read(jpeg[: len(jpeg) * 2 // 3])


def test_what_trails_an_image_is_passed_over() -> None:
    for name in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "TGA"):
        data = save(RGB, name)
        np.testing.assert_array_equal(read(data + b"trailer" * 9).pixels, read(data).pixels)


def test_a_gif_of_many_comments_and_frames_is_read_like_its_first_picture() -> None:
    frames = [Image.fromarray(np.full_like(RGB, value)) for value in (10, 200)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:] * 20, comment=b"c" * 9)
    data = file.getvalue()
    comment = b"!\xfe" + (b"\xff" + b"c" * 255) * 20_000 + b"\0"
    start = data.index(b"!")
    many = data[:start] + comment + data[start:]
    np.testing.assert_array_equal(read(many).pixels, read(data).pixels)
    assert abs(int(read(many).pixels.mean()) - 10) < 3


def test_of_an_animated_webp_and_png_the_first_frame_is_read() -> None:
    first, second = Image.fromarray(RGB), Image.fromarray(255 - RGB)
    for name, options in (("WEBP", {"lossless": True}), ("PNG", {})):
        file = io.BytesIO()
        first.save(file, name, save_all=True, append_images=[second], **options)
        np.testing.assert_array_equal(read(file.getvalue()).pixels, RGB)


def test_odd_fields_of_a_tiff_are_passed_over() -> None:
    odd: dict[int, tuple[int, list[float]]] = {
        282: (3, [0]),  # a resolution that is no fraction
        270: (4, [1]),
        34665: (4, [1 << 31]),  # EXIF beyond the end
        34675: (12, [float("nan")]),
        700: (1, [60]),
        65000: (16, [1 << 60]),
    }
    plane = RGB[..., 0]
    pixels = read(tiff([plane.tobytes()], (40, 56), fields=odd)).pixels
    np.testing.assert_array_equal(pixels[..., 0], plane)
