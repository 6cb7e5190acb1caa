"""White is white and bits are kept, whatever their number, order, compression and layout."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from tests.support.encoded import chunk, packed, save, tiff

from sakedge.errors import ImageError
from sakedge.images import read

RNG = np.random.default_rng(0)
WHITE = {"uint8": 255, "uint16": 65535, "float32": 1}


def _values(bits: int, samples: int) -> np.ndarray:
    values = RNG.integers(0, 2 ** min(bits, 63), (7, 13, samples), dtype=np.uint64)
    values[0], values[1] = 2**bits - 1, 0
    return values


def _check(data: bytes, shares: np.ndarray, bits: int) -> None:
    """Compares pixels with shares of white [H, W, 1 or 3], to half a step."""
    pixels = read(data).pixels
    dtype = "uint8" if bits <= 8 else "uint16" if bits <= 16 else "float32"
    assert (pixels.dtype, pixels.shape) == (dtype, (*shares.shape[:2], 3))
    white = WHITE[dtype]
    bound = 0.5001 / white if white > 1 else 1e-6
    np.testing.assert_allclose(pixels / white, np.broadcast_to(shares, pixels.shape), 0, bound)


@pytest.mark.parametrize("bits", [*range(1, 25), 32, 64])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("photometric", [0, 1, 2])
def test_tiff_of_any_bits(bits: int, order: str, photometric: int) -> None:
    samples = 3 if photometric == 2 else 1
    values = _values(bits, samples)
    shares = values.astype(float) / (2.0**bits - 1)
    shares = 1 - shares if photometric == 0 else shares
    rows = [packed(row.reshape(-1), bits, order) for row in values]
    strips = [b"".join(rows[:4]), b"".join(rows[4:])]
    kind = {"bits": bits, "samples": samples, "photometric": photometric, "order": order}
    _check(tiff(strips, (7, 13), **kind), shares, bits)
    deflated = [zlib.compress(strip) for strip in strips]
    _check(tiff(deflated, (7, 13), **kind, fields={259: (3, [8])}), shares, bits)
    if samples == 3:
        planes = [
            b"".join(packed(row, bits, order) for row in values[..., plane]) for plane in range(3)
        ]
        fields = {284: (3, [2]), 278: (4, [7])}
        _check(tiff(planes, (7, 13), **kind, fields=fields), shares, bits)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize(("bits", "predictor"), [(8, 2), (12, 1), (16, 1), (16, 2), (32, 2)])
def test_tiles_predictors_and_bigtiff(bits: int, predictor: int, big: bool) -> None:
    values = RNG.integers(0, 2**bits, (20, 37, 3), dtype=np.uint64)
    padded = np.zeros((32, 48, 3), np.uint64)
    padded[:20, :37] = values
    chunks = []
    for top in range(0, 32, 16):
        for left in range(0, 48, 16):
            tile = padded[top : top + 16, left : left + 16].copy()
            if predictor == 2:
                tile[:, 1:] -= tile[:, :-1].copy()
                tile &= np.uint64(2**bits - 1)
            chunks.append(
                zlib.compress(b"".join(packed(row.reshape(-1), bits, ">") for row in tile))
            )
    data = tiff(
        chunks,
        (20, 37),
        bits=bits,
        samples=3,
        photometric=2,
        order=">",
        big=big,
        tile=(16, 16),
        fields={259: (3, [8]), 317: (3, [predictor])},
    )
    _check(data, values.astype(float) / (2.0**bits - 1), bits)


@pytest.mark.parametrize("size", [2, 4, 8])
@pytest.mark.parametrize("predictor", [1, 3])
def test_float_tiff(size: int, predictor: int) -> None:
    values = RNG.random((5, 6, 3)).astype(f">f{size}")
    rows = []
    for row in values:
        data = row.reshape(-1).view(np.uint8).reshape(-1, size)
        if predictor == 3:
            planes = data.T.reshape(-1).copy()
            planes[3:] -= planes[:-3].copy()
            data = planes
        rows.append(data.tobytes())
    fields = {259: (3, [8]), 317: (3, [predictor]), 339: (3, [3] * 3)}
    data = tiff(
        [zlib.compress(b"".join(rows))],
        (5, 6),
        bits=8 * size,
        samples=3,
        photometric=2,
        order=">",
        fields=fields,
    )
    np.testing.assert_array_equal(read(data).pixels, values.astype(np.float32))


def _grey(values: np.ndarray, **fields: tuple[int, list[float]]) -> bytes:
    numbers = {int(tag[1:]): value for tag, value in fields.items()}
    bits = 8 * values.itemsize
    return tiff([values.tobytes()], values.shape, bits=bits, fields=numbers)


def test_a_declared_range_is_black_and_white() -> None:
    floats = np.array([[-1000, 0, 3000]], "<f4")
    signed = np.array([[-1000, 0, 3000]], "<i2")
    expected = np.array([0, 0.25, 1], np.float32)
    declared = {"t340": (11, [-1000]), "t341": (11, [3000])}
    for values, form in ((floats, 3), (signed, 2)):
        pixels = read(_grey(values, t339=(3, [form]), **declared)).pixels
        np.testing.assert_allclose(pixels[0, :, 0], expected, atol=1e-7)
    twelve = np.array([[0, 4095]], "<u2")
    assert read(_grey(twelve, t340=(3, [0]), t341=(3, [4095]))).pixels.max() == 1


def test_without_a_declared_range_signed_and_float_samples_below_black_are_refused() -> None:
    signed = np.array([[0, 32767]], "<i2")
    assert read(_grey(signed, t339=(3, [2]))).pixels[0, :, 0].tolist() == [0, 1]
    for values, form in ((-signed, 2), (np.array([[2.5]], "<f4"), 3)):
        with pytest.raises(ImageError, match="0…1"):
            read(_grey(values, t339=(3, [form])))
    with pytest.raises(ImageError, match="NaN"):
        read(_grey(np.array([[np.nan]], "<f4"), t339=(3, [3])))


def test_palettes_alpha_and_bit_order_of_tiff() -> None:
    colors = RNG.integers(0, 65536, (3, 16))
    data = tiff([b"\x01\x2f"], (1, 4), bits=4, photometric=3, fields={320: (3, [*colors.flat])})
    np.testing.assert_array_equal(read(data).pixels[0], (colors.T >> 8)[[0, 1, 2, 15]])
    pixel = np.array([100, 200, 50, 100], "<u2") * 300
    kind = {"bits": 16, "samples": 4, "photometric": 2}
    straight = tiff([pixel.tobytes()], (1, 1), **kind, fields={338: (3, [2])})
    assert read(straight).pixels[0, 0].tolist() == [30000, 60000, 15000]
    associated = tiff([pixel.tobytes()], (1, 1), **kind, fields={338: (3, [1])})
    assert read(associated).pixels[0, 0].tolist() == [65535, 65535, 32767]
    data = tiff([b"\x80"], (1, 8), bits=1, fields={266: (3, [2])})
    assert read(data).pixels[0, :, 0].tolist() == [0] * 7 + [255]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ({"photometric": 32803, "bits": 16}, "photometric interpretation 32803"),
        ({"bits": 16, "photometric": 8, "samples": 3}, "16-bit samples"),
        ({"bits": 24, "fields": {339: (3, [3])}}, "24-bit floating"),
        ({"bits": 12, "fields": {339: (3, [2])}}, "12-bit signed"),
        ({"fields": {259: (3, [34887])}}, "compression 34887"),
        ({"fields": {339: (3, [6])}}, "odd samples"),
    ],
)
def test_what_is_not_read_is_named(kind: dict[str, object], words: str) -> None:
    with pytest.raises(ImageError, match=words):
        read(tiff([bytes(4096)], (4, 4), **kind))  # type: ignore[arg-type]


def test_uncompressed_ycbcr_is_read_where_it_is_not_subsampled() -> None:
    kind = {"samples": 3, "photometric": 6}
    assert (read(tiff([bytes([255, 128, 128] * 16)], (4, 4), **kind)).pixels == 255).all()
    with pytest.raises(ImageError, match="subsampled YCbCr"):
        read(tiff([bytes([255] * 16 + [128] * 8)], (4, 4), **kind))


@pytest.mark.parametrize("color", [0, 2, 4, 6])
def test_png_keeps_16_bits(color: int) -> None:
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[color]
    values = RNG.integers(0, 65536, (6, 5, channels)).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    header = struct.pack(">IIBBBBB", 5, 6, 16, color, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    pixels = read(b"\x89PNG\r\n\x1a\n" + body).pixels
    expected = values[..., :3] if channels > 2 else values[..., :1]
    assert pixels.dtype == np.uint16
    np.testing.assert_array_equal(pixels, np.broadcast_to(expected, (6, 5, 3)))


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_png_of_few_bits(bits: int) -> None:
    largest = 2**bits - 1
    values = np.arange(8).reshape(1, 8) % (largest + 1)
    header = struct.pack(">IIBBBBB", 8, 1, bits, 0, 0, 0, 0)
    data = zlib.compress(b"\0" + packed(values[0], bits, ">"))
    body = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    pixels = read(b"\x89PNG\r\n\x1a\n" + body).pixels
    np.testing.assert_array_equal(pixels[..., 0], values * 255 // largest)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"P1 # dark\n2 2\n0 1\n10", [255, 0, 0, 255]),
        (b"P4\n# dark\n4 1\n\x50", [255, 0, 255, 0]),
        (b"P2\n3 1\n7\n0 7 3", [0, 255, 109]),
        (b"P2 3 1 4095\n0 4095 # white\n2048", [0, 65535, 32776]),
        (b"P5 3 1 4095\n\0\0\x0f\xff\x08\0", [0, 65535, 32776]),
        (b"P5 2 1 255\n\x07\xff", [7, 255]),
        (b"P7\nWIDTH 2\nHEIGHT 1\nDEPTH 2\nMAXVAL 255\nENDHDR\n\x07\x01\xff\x02", [7, 255]),
        (b"Pf\n1 2\n-1.0\n" + struct.pack("<2f", 0.25, 1), [1, 0.25]),
    ],
)
def test_netpbm_has_white_where_its_header_says(data: bytes, expected: list[float]) -> None:
    pixels = read(data).pixels
    assert pixels[..., 0].reshape(-1).tolist() == expected
    assert (pixels[..., 0] == pixels[..., 2]).all()


def test_netpbm_colours_keep_16_bits() -> None:
    values = RNG.integers(0, 65536, (4, 5, 3)).astype(">u2")
    pixels = read(b"P6 5 4 65535\n" + values.tobytes()).pixels
    assert pixels.dtype == np.uint16
    np.testing.assert_array_equal(pixels, values)
    floats = RNG.random((4, 5, 3)).astype(">f4")
    np.testing.assert_array_equal(read(b"PF 5 4 1.0\n" + floats.tobytes()).pixels, floats[::-1])


@pytest.mark.parametrize(
    "data", [b"P5 9 9 255\nshort", b"P2 1 1 9\n10", b"P2 1 1 9\nx", b"P5 1 1 0\n\0", b"P6 3"]
)
def test_wrong_netpbm_is_damaged(data: bytes) -> None:
    with pytest.raises(ImageError, match="damaged"):
        read(data)


def test_white_of_jpeg_2000_is_that_of_its_bits() -> None:
    image = np.full((8, 8), 128 + 31, np.uint8)
    data = bytearray(save(image, "JPEG2000", irreversible=False, no_jp2=True))
    data[42] = 5  # six bits: their white lies 31 above their middle
    assert (read(bytes(data)).pixels == 255).all()


def test_16_bit_jpeg_2000_is_kept_in_grey_and_refused_in_colour() -> None:
    grey = RNG.integers(0, 65536, (8, 8)).astype(np.uint16)
    data = save(grey, "JPEG2000", irreversible=False)
    np.testing.assert_array_equal(read(data).pixels[..., 1], grey)
    color = bytearray(save(np.zeros((8, 8, 3), np.uint8), "JPEG2000", no_jp2=True))
    color[42] = color[45] = color[48] = 15
    with pytest.raises(ImageError, match="16, 16, 16 bits"):
        read(bytes(color))


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "LAB", "P", "LA", "RGBA"])
@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_other_colours_of_tiff_are_those_of_pillow(mode: str, compression: str | None) -> None:
    rgb = Image.fromarray(RNG.integers(0, 256, (9, 8, 3), np.uint8))
    lab = Image.frombytes("LAB", rgb.size, rgb.tobytes())
    image = lab if mode == "LAB" else rgb.convert(mode)
    file = io.BytesIO()
    image.save(file, "TIFF", compression=compression)
    expected = np.asarray(image.convert("RGB")).astype(int)
    rounding = 2 if mode == "YCbCr" else 0  # libtiff's is another than Pillow's
    np.testing.assert_allclose(read(file.getvalue()).pixels, expected, 0, rounding)
