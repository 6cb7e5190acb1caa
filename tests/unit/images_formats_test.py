"""What an image is, is read from its content; the formats are a fixed list."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.encoded import save, tiff

from sakedge.errors import ImageError
from sakedge.images import read
from sakedge.images.formats import FORMATS, format_of

ROOT = Path(__file__).parents[2]
RGB = np.random.default_rng(0).integers(0, 256, (40, 56, 3), np.uint8)


def _format(data: bytes) -> str | None:
    return format_of(io.BytesIO(data))


WRITTEN = {
    "PNG": "PNG",
    "JPEG": "JPEG",
    "TIFF": "TIFF",
    "BMP": "BMP",
    "WEBP": "WebP",
    "GIF": "GIF",
    "PPM": "Netpbm",
    "JPEG2000": "JPEG 2000",
    "AVIF": "AVIF",
    "DIB": "DIB",
    "TGA": "TGA",
}


def test_every_format_is_tested() -> None:
    assert set(WRITTEN.values()) == {each.name for each in FORMATS}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_format_is_told_and_read_whatever_the_file_is_called(name: str, tmp_path: Path) -> None:
    Image.init()
    if name not in Image.SAVE:
        pytest.skip(f"this Pillow writes no {name}")
    path = tmp_path / "part.exe"
    path.write_bytes(save(RGB, name))
    with path.open("rb") as file:
        assert format_of(file) == WRITTEN[name]
    picture = read(path)
    assert picture.size == (40, 56)
    np.testing.assert_allclose(picture.pixels.mean(), RGB.mean(), atol=2)


@pytest.mark.parametrize("compression", [None, "tga_rle"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P"])
def test_tga_is_told_by_a_header_that_makes_sense(mode: str, compression: str | None) -> None:
    file = io.BytesIO()
    image = Image.fromarray(RGB).convert(mode)
    image.save(file, "TGA", compression=compression)
    assert _format(file.getvalue()) == "TGA"
    expected = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(read(file.getvalue()).pixels, expected)
    for one in (bytes(18), file.getvalue()[:17], b"\0\0\0\1\x67" + bytes(500)):
        assert _format(one) is None


@pytest.mark.parametrize("mode", ["RGBA", "RGB", "L"])
def test_one_pixel_of_tga_needs_no_footer(mode: str) -> None:
    file = io.BytesIO()
    Image.new(mode, (1, 1), 0).save(file, "TGA")
    without = file.getvalue()[: 18 + len(mode)]
    assert read(without).pixels.tolist() == [[[0, 0, 0]]]


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0\1\x67\x42\xc0\x1e" + bytes(300),  # H.264
        b"\0\0\1\xb3" + bytes(300),  # MPEG-2
        (b"\x47\x40\0\x10" + bytes(184)) * 3,  # MPEG transport stream
        b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + bytes(300),  # MP4
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(300),  # HEIC
        b"RIFF\0\1\0\0AVI LIST" + bytes(300),
        b"\x1aE\xdf\xa3" + bytes(300),  # Matroska
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 50 40\n",
        b"\xd7\xcd\xc6\x9a" + bytes(300),  # WMF
        b"8BPS" + bytes(300),  # PSD
        b"BM, a text that begins like a bitmap" + bytes(100),
        b"P5, a text that begins like a picture",
        b"",
        bytes(1000),
    ],
)
def test_what_is_no_image_is_none(data: bytes) -> None:
    assert _format(data) is None
    with pytest.raises(ImageError, match=r"not an image|is empty"):
        read(data)


def test_pictures_of_jpeg_one_after_the_other_are_a_video_and_no_image() -> None:
    jpeg, other = save(RGB, "JPEG"), save(RGB[:20], "JPEG")
    assert _format(jpeg * 3) is None
    with pytest.raises(ImageError, match="not an image"):
        read(jpeg * 3)
    for image in (jpeg, jpeg + bytes(9), jpeg + other, jpeg + bytes(9) + jpeg):
        assert _format(image) == "JPEG"
    file = io.BytesIO()
    image = Image.fromarray(RGB)
    image.save(file, "MPO", save_all=True, append_images=[image])
    assert _format(file.getvalue()) == "JPEG"
    assert read(file.getvalue()).size == (40, 56)


def test_telling_a_video_of_jpeg_reads_no_more_than_its_beginning() -> None:
    class Counting(io.BytesIO):
        total = 0

        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            self.total += len(data)
            return data

    file = Counting(save(RGB, "JPEG") * 2000)
    assert format_of(file) is None
    assert file.total < 1 << 18


def test_damaged_images_keep_their_format() -> None:
    assert _format(save(RGB, "PNG")[:60]) == "PNG"
    assert _format(save(RGB, "JPEG")[:60]) == "JPEG"
    assert _format(tiff([b""], (0, 0))) == "TIFF"


def test_postscript_under_the_name_of_an_image_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []

    def note(*arguments: object, **_: object) -> None:
        started.append(arguments)
        raise OSError("nothing may be started")

    monkeypatch.setattr(subprocess, "Popen", note)
    path = tmp_path / "part.png"
    path.write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 50 40\n%%EndComments\nshowpage\n"
    )
    with pytest.raises(ImageError, match="not an image"):
        read(path)
    with Image.open(path) as image, pytest.raises(ImageError, match="start a program"):
        read(image)
    assert started == []


def test_the_guide_names_every_format() -> None:
    guide = (ROOT / "docs" / "python-api.md").read_text()
    table = guide[guide.index("| format |") :].split("\n\n")[0]
    rows = [line.split("|")[1].strip() for line in table.splitlines()[2:]]
    assert rows == [each.name for each in FORMATS]
