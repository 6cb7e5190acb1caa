"""Hostile limits of golden images, descriptions of their data set, and trends of them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from tools.fuzz.mutations import dumps, json_bomb, spoil_bytes, spoil_json
from tools.fuzz.targets import Attempt
from tools.fuzz.tiny import write_tiny

from sakedge.canary.golden import FEWEST, LIMITS, Golden
from sakedge.canary.trend import FILE, Point, TaskPoint, Trend
from sakedge.format import StudentFile
from sakedge.measuring.data.folder import DESCRIPTION

_LIMITS = {
    "format_version": 1,
    "max_drop": 0.02,
    "max_disagreement": 0.01,
    "tasks": {"edge": {"max_drop": 0.005, "worst": 60.0}, "sal": {"unchanged": True}},
}
_ABOUT = {"name": "line 3", "tasks": {"edge": {"edge_tolerance": 0.01}, "sal": {"positive": 1}}}


def prepare(folder: Path) -> Attempt:
    """Writes sound golden images and a sound trend, and puts hostile files in their place."""
    write_tiny(folder / "student.onnx")
    with StudentFile.open(folder / "student.onnx") as file:
        manifest = file.manifest
    golden = folder / "golden"
    _write_images(golden)
    trend = Trend(folder / "trend")
    for _ in range(3):
        trend.append(_point())
    sound = {
        golden / LIMITS: dumps(_LIMITS).encode(),
        golden / DESCRIPTION: dumps(_ABOUT).encode(),
        folder / "trend" / FILE: (folder / "trend" / FILE).read_bytes(),
    }

    def attempt(rng: random.Random) -> None:
        for path, content in sound.items():
            path.write_bytes(content)
        path = rng.choice([*sound])
        path.write_bytes(rng.choice(_WAYS)(rng, sound[path]))
        if path.name == FILE:
            trend.points()
        else:
            Golden.read(golden, manifest)

    return attempt


def _write_images(golden: Path) -> None:
    rng = np.random.default_rng(0)
    for part in ("images", "edge", "sal"):
        (golden / part).mkdir(parents=True)
    for i in range(FEWEST):
        picture = rng.integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(picture).save(golden / "images" / f"{i}.png")
        for task in ("edge", "sal"):
            Image.fromarray(picture[..., 0] // 128).save(golden / task / f"{i}.png")


def _point() -> Point:
    task = TaskPoint(
        metric="odsF",
        unit="%",
        value=80.0,
        baseline=80.5,
        drop=0.006,
        low=None,
        high=0.01,
        allowed=0.02,
        verdict="as good",
    )
    return Point(
        time="2026-11-26T04:00:00+00:00",
        student="0" * 64,
        adapters={"sam": "1" * 64},
        golden="2" * 64,
        images=16,
        failed=0,
        first=True,
        tasks={"edge": task},
        alerts=[],
    )


def _spoil_fields(rng: random.Random, content: bytes) -> bytes:
    """Spoils a value of one of the lines."""
    lines = content.splitlines()
    number = rng.randrange(len(lines))
    fields = json.loads(lines[number])
    spoil_json(rng, fields)
    lines[number] = dumps(fields).encode(errors="surrogatepass")
    return b"\n".join(lines)


def _bomb(rng: random.Random, content: bytes) -> bytes:
    return json_bomb(rng, content.decode()).encode(errors="surrogatepass")


_WAYS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    *(spoil_bytes, _spoil_fields, _spoil_fields, _bomb),
)
