"""Damaged videos, folders of anything, and odd objects in the place of sources."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from tools.fuzz.targets import Attempt

from sakedge.sources import Reconnect, open_source
from sakedge.sources.address import display_name
from sakedge.sources.capture import require_opencv

cv2 = require_opencv()
KINDS = (
    *(("a.avi", "MJPG"), ("b.avi", "mp4v"), ("c.mp4", "mp4v"), ("d.mov", "MJPG")),
    *(("e.mkv", "MJPG"), ("f.mkv", "VP80"), ("g.webm", "VP80"), ("h.ts", "mp4v")),
    *(("i.mpg", "PIM1"), ("j.flv", "FLV1"), ("k.ogv", "THEO"), ("l.wmv", "WMV2")),
)
FRAMES = 12
MOST_FRAMES = 200
"""Frames taken of a source; a damaged header may announce any number."""
ONCE = Reconnect(give_up_after=0)


def prepare(folder: Path) -> Attempt:
    """Makes a short video of each kind that this OpenCV can write."""
    seeds = [content for kind in KINDS if (content := _video(folder, *kind))]
    seeds.append(b"".join(_jpeg(i) for i in range(FRAMES)))

    def attempt(numbers: random.Random) -> None:
        make = numbers.choice([_damaged, _damaged, _damaged, _folder, _object, _address])
        source = make(numbers, seeds, folder)
        with closing(open_source(source, ONCE)) as opened:
            first_error = None
            for frame in islice(opened, MOST_FRAMES):
                first_error = first_error or frame.error
            if first_error is not None:
                raise first_error

    return attempt


def _picture(number: int) -> Any:
    noise = np.random.default_rng(number).integers(0, 60, (48, 64, 3))
    return (noise + 10 * number).clip(0, 255).astype(np.uint8)


def _jpeg(number: int) -> bytes:
    return cv2.imencode(".jpg", _picture(number))[1].tobytes()


def _video(folder: Path, name: str, codec: str) -> bytes | None:
    path = folder / name
    fourcc = cv2.VideoWriter.fourcc(*codec)
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, fourcc, 25, (64, 48))
    if not writer.isOpened():
        return None
    for i in range(FRAMES):
        writer.write(_picture(i))
    writer.release()
    content = path.read_bytes()
    path.unlink()
    return content


def _mutated(numbers: random.Random, seeds: list[bytes]) -> bytes:
    content = bytearray(numbers.choice(seeds))
    for _ in range(numbers.choice([1, 1, 2, 5, 40])):
        # Headers and indices lie at the ends; what is between is pictures.
        where = int(len(content) * numbers.random() ** numbers.choice([1, 4, 8]))
        at = min(where if numbers.random() < 0.7 else len(content) - where, len(content) - 1)
        kind = numbers.randrange(6)
        if kind == 0:
            content[at] ^= 1 << numbers.randrange(8)
        elif kind == 1:
            width = numbers.choice([1, 2, 4, 8])
            value = numbers.choice([0, 1, 0x7F, 0x80, 0xFF])
            content[at : at + width] = bytes([value]) * width
        elif kind == 2:
            del content[max(at, 8) :]
        elif kind == 3:
            content[at:at] = content[at : at + numbers.randrange(200)]
        elif kind == 4:
            del content[at : at + numbers.randrange(64)]
        else:
            other = numbers.choice(seeds)
            content[at : at + 64] = other[at : at + 64]
        if not content:
            return b""
    return bytes(content)


def _damaged(numbers: random.Random, seeds: list[bytes], folder: Path) -> object:
    name = numbers.choice(["x.mp4", "x.avi", "x.png", "x.txt", "x", "%d.jpg", "x.m3u8", "x.sdp"])
    path = folder / name
    path.write_bytes(_mutated(numbers, seeds))
    return numbers.choice([path, str(path)])


def _folder(numbers: random.Random, seeds: list[bytes], folder: Path) -> object:
    place = folder / "many"
    place.mkdir(exist_ok=True)
    for i in range(numbers.randrange(4)):
        suffix = numbers.choice([".png", ".jpg", ".txt", "", ".mp4", ".tif"])
        (place / f"{i}{suffix}").write_bytes(_mutated(numbers, seeds)[: numbers.randrange(3000)])
    pattern = "".join(numbers.choice("*?[]!.0a/") for _ in range(numbers.randrange(1, 8)))
    return numbers.choice([place, str(place / "*"), str(place / pattern)])


def _text(numbers: random.Random) -> str:
    letters = "a/:@%#?[]!&=;. \\\0\n\ud800\udcffé*-+9\x1b|"
    return "".join(numbers.choice(letters) for _ in range(numbers.randrange(40)))


def _address(numbers: random.Random, seeds: list[bytes], folder: Path) -> object:
    """A URL of a port where nothing listens; other hosts are only shown, not asked."""
    display_name(f"{_text(numbers)}://{_text(numbers)}")
    scheme = numbers.choice(["rtsp", "http", "HTTP", "tcp", "file", "concat", _text(numbers)])
    user = numbers.choice(["", f"{_text(numbers)}@".replace("/", "")])
    if set("#?") & set(user):
        return f"{scheme}://{user}"  # malformed: the host would be part of the user
    return f"{scheme}://{user}127.0.0.1:9/{_text(numbers)}"


def _object(numbers: random.Random, seeds: list[bytes], folder: Path) -> object:
    makers: list[Callable[[], object]] = [
        lambda: None,
        lambda: numbers.choice([True, False, -1, 10**30, 1.5, float("nan"), 1j, np.int8(3)]),
        lambda: np.zeros([numbers.randrange(3) for _ in range(numbers.randrange(5))]),
        lambda: [_object(numbers, seeds, folder) for _ in range(numbers.randrange(4))],
        lambda: (x for x in [None, b"", "x", 3, _text(numbers)]),
        lambda: {_text(numbers): 1},
        lambda: {1, 2},
        lambda: numbers.choice([object, object(), len, ..., range(3), memoryview(b"ab")]),
        lambda: _text(numbers),
        lambda: _text(numbers).encode(errors="surrogatepass"),
        lambda: Path(_text(numbers)),
        lambda: "/" * numbers.choice([1, 5000]) + "x" * numbers.choice([0, 300]),
        lambda: numbers.choice(["/dev/null", "/dev/zero", "/dev/tty", "/dev/video99x", "/proc"]),
    ]
    return numbers.choice(makers)()
