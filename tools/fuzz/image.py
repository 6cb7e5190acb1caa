"""Hostile images: mutated files in every format and every form, and hostile objects."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tools.fuzz.targets import Attempt

from sakedge.images import read
from sakedge.images.formats import format_of

_SAVES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("PNG", "RGB", {}),
    ("PNG", "P", {"transparency": 3}),
    ("PNG", "1", {}),
    ("JPEG", "RGB", {"exif": b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"}),
    ("JPEG", "CMYK", {"progressive": True}),
    ("JPEG", "L", {"restart_marker_rows": 1}),
    ("TIFF", "RGB", {}),
    ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    ("TIFF", "RGB", {"compression": "jpeg"}),
    ("TIFF", "1", {"compression": "group4"}),
    ("TIFF", "P", {"compression": "tiff_adobe_deflate"}),
    ("TIFF", "F", {"compression": "packbits"}),
    ("TIFF", "CMYK", {}),
    ("BMP", "RGB", {}),
    ("BMP", "P", {}),
    ("DIB", "RGB", {}),
    ("WEBP", "RGB", {"lossless": True, "exif": b"Exif\0\0II*\0"}),
    ("WEBP", "RGBA", {}),
    ("GIF", "P", {"comment": b"a comment"}),
    ("PPM", "RGB", {}),
    ("PPM", "1", {}),
    ("JPEG2000", "RGB", {}),
    ("AVIF", "RGB", {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}),
    ("TGA", "RGB", {}),
    ("TGA", "P", {"compression": "tga_rle"}),
)
_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF, 2**63, 2**64 - 1)
_MOST_PIXELS = 1 << 22
"""So that an attempt that decodes takes no long time."""


def prepare(folder: Path) -> Attempt:
    """Makes valid images of every format."""
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (24, 40, 3), np.uint8))
    files = [_png_16(rng), b"P2 3 2 9 1 2 3 4 5 6", b"Pf 2 1 -1.0\n" + bytes(8)]
    files += [b"P7\nWIDTH 2\nHEIGHT 2\nDEPTH 4\nMAXVAL 255\nENDHDR\n" + bytes(16)]
    files += [_tiff(bits, form) for bits, form in ((12, 1), (16, 1), (16, 2), (32, 3), (64, 3))]
    for name, mode, options in _SAVES:
        if name in Image.SAVE or (Image.init() and name in Image.SAVE):
            file = io.BytesIO()
            picture.convert(mode).save(file, name, **options)
            files.append(file.getvalue())
            if name in ("GIF", "WEBP", "PNG"):
                file = io.BytesIO()
                turned = picture.convert(mode).rotate(90)
                picture.convert(mode).save(file, name, save_all=True, append_images=[turned])
                files.append(file.getvalue())
    path = folder / "image"

    def attempt(random_: random.Random) -> None:
        if random_.random() < 0.1:
            read(_hostile_object(random_))
            return
        data = _mutated(random_, files)
        form = random_.randrange(4)
        if form == 0:
            path.write_bytes(data)
            read(path, max_pixels=_MOST_PIXELS)
        elif form == 1:
            read(random_.choice((bytes, bytearray, memoryview))(data), max_pixels=_MOST_PIXELS)
        elif form == 2:
            format_of(io.BytesIO(data))
            read(io.BytesIO(data), max_pixels=_MOST_PIXELS)
        else:
            _read_opened(data)

    return attempt


def _read_opened(data: bytes) -> None:
    try:
        image = Image.open(io.BytesIO(data))
    except Exception:  # Pillow's own business
        return
    read(image, max_pixels=_MOST_PIXELS)


def _mutated(random_: random.Random, files: list[bytes]) -> bytes:
    data = bytearray(random_.choice(files))
    for _ in range(random_.choice((1, 1, 2, 4, 16))):
        # Headers and directories lie at either end.
        at = random_.randrange(len(data)) if random_.random() < 0.5 else _near_an_end(random_, data)
        kind = random_.randrange(6)
        if kind == 0:
            data[at] ^= 1 << random_.randrange(8)
        elif kind == 1:
            number, size = random_.choice(_NUMBERS), random_.choice((1, 2, 4, 8))
            order = random_.choice(("little", "big"))
            data[at : at + size] = (number % 256**size).to_bytes(size, order)
        elif kind == 2:
            del data[at : at + random_.choice((1, 2, 10, len(data)))]
        elif kind == 3:
            data[at:at] = data[at : at + random_.choice((1, 8, 100))] * random_.choice((1, 2, 50))
        elif kind == 4:
            other = random_.choice(files)
            start = random_.randrange(len(other))
            data[at : at + 64] = other[start : start + random_.choice((4, 64, len(other)))]
        else:
            data[at : at + 4] = random_.randbytes(4)
        data = data or bytearray(1)
    return _with_right_checksums(data) if random_.random() < 0.5 else bytes(data)


def _near_an_end(random_: random.Random, data: bytearray) -> int:
    near = random_.randrange(min(64, len(data)))
    return near if random_.random() < 0.7 else len(data) - 1 - near


def _with_right_checksums(data: bytearray) -> bytes:
    """Lets a mutated PNG pass its checksums, so that what is behind them is reached."""
    at = 8
    while data[:4] == b"\x89PNG" and at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 12 + length
        if end > len(data):
            break
        struct.pack_into(">I", data, end - 4, zlib.crc32(data[at + 4 : end - 4]))
        at = end
    return bytes(data)


def _png_16(rng: np.random.Generator) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    rows = b"".join(b"\0" + rng.bytes(6 * 7) for _ in range(5))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 7, 5, 16, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _tiff(bits: int, form: int) -> bytes:
    """A tiled, compressed TIFF of samples of these bits, 16 x 16."""
    data = zlib.compress(bytes(2 * bits) * 16)
    entries = [(256, 16), (257, 16), (258, bits), (259, 8), (262, 1), (277, 1), (317, 1)]
    entries += [(322, 16), (323, 16), (324, 8), (325, len(data)), (339, form), (274, 6)]
    fields = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(entries))
    start = struct.pack("<I", 8 + len(data))
    return b"II*\0" + start + data + struct.pack("<H", len(entries)) + fields + bytes(4)


class _Raising:
    """Raises from whatever it is asked for."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __fspath__(self) -> str:
        raise self._error

    def __array__(self, *_: object) -> object:
        raise self._error

    def read(self, *_: object) -> bytes:
        raise self._error

    def tell(self) -> int:
        return 0

    def seek(self, *_: object) -> int:
        return 0


class _HostileFile(io.BytesIO):
    """Reads too much, too little or something else."""

    def __init__(self, answer: object) -> None:
        super().__init__(b"\x89PNG\r\n\x1a\n" * 10)
        self._answer = answer

    def read(self, size: int | None = -1, /) -> Any:
        return self._answer


class _HostileArray(np.ndarray):
    """Overrides what NumPy lets a subclass override."""

    def __array_function__(self, *_: object, **__: object) -> Any:
        raise RuntimeError("array function")

    def __array_ufunc__(self, *_: object, **__: object) -> Any:
        raise RuntimeError("ufunc")

    def __getitem__(self, key: object) -> Any:
        raise KeyError(key)

    @property
    def shape(self) -> Any:
        return (10**9, 10**9, 3)


def _hostile_object(random_: random.Random) -> Any:
    shape = [random_.choice((0, 1, 3, 4, 7, 20_000)) for _ in range(random_.randrange(5))]
    kinds = ("u1", "u2", ">u2", "f2", "f4", "f8", "i4", "?", "c8", "O", "U3", "S2", "M8[s]", "V3")
    value = np.zeros((), random_.choice(kinds))
    makers: tuple[Callable[[], Any], ...] = (
        lambda: np.broadcast_to(value, shape),
        lambda: np.full((3, 4, 3), random_.choice((np.nan, np.inf, -1.0, 1e300, 5e-324))),
        lambda: np.zeros((3, 4, 3), np.uint8).view(_HostileArray),
        lambda: np.ma.masked_array(np.zeros((3, 4)), mask=random_.random() < 0.5),
        lambda: np.asmatrix(np.zeros((3, 4), np.uint8)),
        lambda: _Raising(random_.choice((RuntimeError("no"), OSError(5, "no"), MemoryError()))),
        lambda: _HostileFile(random_.choice((None, "text", 3, b"", b"x" * 1000, [1]))),
        lambda: io.StringIO("text"),
        lambda: memoryview(np.zeros((8, 8), np.uint8)[::2, ::3]),
        lambda: random_.choice(("a\0b", "\ud800", "x" * 5000, "/", "/dev/zero", "/proc/self/mem")),
        lambda: random_.choice((None, 3, {}, [], (), 1.5, object(), {1}, range(3), lambda: 1)),
        lambda: Image.new(random_.choice(("F", "I", "HSV", "LAB", "I;16", "PA")), (3, 4), -1),
    )
    return random_.choice(makers)()
