"""What keeps known weaknesses of Pillow out of reach; the statements of VEX rely on it."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from tests.support.encoded import save

from sakedge.errors import ImageError
from sakedge.images import read
from sakedge.images.codecs import jpeg

RGB = np.random.default_rng(0).integers(0, 256, (40, 56, 3), np.uint8)


def bitmap(width: int, compression: int) -> bytes:
    """A BMP file of one row whose runs begin with a jump over 255 rows."""
    runs = b"\x00\x02\x00\xff\x00\x01"
    begin = 14 + 40 + 1024
    bits = {1: 8, 2: 4}[compression]
    fields = (40, width, 1, 1, bits, compression, len(runs), 0, 0, 256, 0)
    head = struct.pack("<IHHI", begin + len(runs), 0, 0, begin)
    return b"BM" + head + struct.pack("<IiiHHIIiiII", *fields) + bytes(1024) + runs


@pytest.mark.parametrize("compression", [1, 2])
@pytest.mark.parametrize("is_file", [True, False])
def test_a_wide_bitmap_in_run_lengths_is_refused(compression: int, is_file: bool) -> None:
    start = 0 if is_file else 14
    assert read(bitmap(1 << 16, compression)[start:]).size == (1, 1 << 16)
    with pytest.raises(ImageError, match="70000 columns"):
        read(bitmap(70_000, compression)[start:])


def _spoilt() -> dict[str, bytes]:
    """JPEG files with a larger frame where a decoder may or may not take it for one."""
    data = save(RGB, "JPEG")
    at = data.index(b"\xff\xc0")
    end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    frame = data[at : at + 5] + struct.pack(">HH", 400, 5600) + data[at + 9 : end]
    length = struct.pack(">H", len(frame) + 2)
    return {
        "before": data[:at] + frame + data[at:],
        "after": data[:end] + frame + data[end:],
        "amid junk": data[:at] + b"\0\0" + frame + b"\0\0" + data[at:],
        "as another marker": data[:at] + b"\xff\xf0" + frame[2:] + data[at:],
        "as a progression": data[:at] + b"\xff\xde" + frame[2:] + data[at:],
        "within a comment": data[:at] + b"\xff\xfe" + length + frame + data[at:],
        "within a count of lines": data[:at] + b"\xff\xdc" + length + frame + data[at:],
    }


@pytest.mark.parametrize("name", _spoilt())
def test_pillow_is_handed_one_frame_that_every_reader_finds(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: list[bytes] = []
    by_pillow = jpeg.by_pillow

    def seen(plugin: Any, data: bytes, orientation: int = 1) -> Any:
        handed.append(data)
        return by_pillow(plugin, data, orientation)

    monkeypatch.setattr(jpeg, "by_pillow", seen)
    try:
        assert read(_spoilt()[name]).size == (40, 56)
        is_read = True
    except ImageError:
        is_read = False
    for data in handed:
        frames, at = 0, 2
        while data[at + 1] != 0xDA:  # up to the scan, segments adjoin
            assert data[at] == 0xFF
            frames += 0xC0 <= data[at + 1] <= 0xCF and data[at + 1] not in (0xC4, 0xC8, 0xCC)
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        assert frames == 1 or not is_read
