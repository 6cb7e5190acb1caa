"""Defects: each changes height or colour and states where it is."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from tools.demo_student.materials import sample
from tools.demo_student.parts import Map, Point, grid

Mask = NDArray[np.bool_]


@dataclass
class Defect:
    """What a defect does to the surface.

    Attributes:
        label: class name.
        mask: [S, S] bool, where it is; never smaller than the field of view can resolve.
        height: [S, S] pixels added to the height.
        tint: linear RGB towards which the colour goes.
        cover: [S, S] 0...1, how far it goes there.
        edge: [S, S] bool, its boundary if that is not the mask's outline.
    """

    label: str
    mask: Mask
    height: Map
    tint: tuple[float, float, float]
    cover: Map
    edge: Mask | None = None


def _blob(rng: np.random.Generator, size: int, at: Point, radius: float, rough: float) -> Map:
    """Signed distance-like field of an irregular blob, in pixels, negative inside."""
    x, y = grid(size)
    x, y = x - np.float32(at[0]), y - np.float32(at[1])
    turn, squeeze = rng.uniform(0, np.pi), rng.uniform(0.7, 1.0)
    u = np.cos(turn) * x + np.sin(turn) * y
    v = (-np.sin(turn) * x + np.cos(turn) * y) / squeeze
    angle = np.arctan2(v, u)
    wave = sum(
        rng.normal(0, rough / k) * np.cos(k * angle + rng.uniform(0, 6.28)) for k in (2, 3, 5)
    )
    return np.asarray(np.hypot(u, v) - radius * (1 + wave), np.float32)


def scratch(rng: np.random.Generator, size: int, at: Point, inside: Mask) -> Defect:
    """A bent groove a few pixels wide; its label is a band 10 px wide."""
    turn, bend = rng.uniform(0, 2 * np.pi), rng.uniform(-0.012, 0.012)
    length, steps = rng.uniform(50, 120), 24
    headings = turn + bend * np.linspace(-length / 2, length / 2, steps)
    path = np.cumsum(np.stack([np.cos(headings), np.sin(headings)], 1), 0) * (length / steps)
    path = np.round((path - path[steps // 2] + np.array(at)) * 8).astype(np.int32)
    line, band, rim = (np.zeros((size, size), np.uint8) for _ in range(3))
    for canvas, width in ((line, int(rng.integers(2, 4))), (band, 10), (rim, 5)):
        cv2.polylines(canvas, [path], False, 255, width, cv2.LINE_AA, 3)
    soft = cv2.GaussianBlur(line.astype(np.float32) / 255, (0, 0), 0.8) * inside
    shade = rng.choice([0.05, 0.85])
    return Defect(
        "scratch",
        (band > 127) & inside,
        -rng.uniform(1.6, 3.2) * soft,
        (shade, shade, shade),
        0.75 * soft,
        (rim > 127) & inside,
    )


def dent(rng: np.random.Generator, size: int, at: Point, inside: Mask) -> Defect:
    """A smooth hollow with a slight rim."""
    radius = rng.uniform(13, 30)
    t = (_blob(rng, size, at, radius, 0.05) + radius) / radius
    bowl = np.exp(-2.2 * t**2) * (1 - 0.35 * t**2)
    depth = rng.uniform(0.5, 0.75) * radius
    mask = (t < 1) & inside
    return Defect(
        "dent",
        mask,
        np.asarray(-depth * bowl * inside, np.float32),
        (0, 0, 0),
        np.zeros((size, size), np.float32),
    )


def hole(rng: np.random.Generator, size: int, at: Point, inside: Mask) -> Defect:
    """A ragged blow-hole with steep walls and a dark ground."""
    radius = rng.uniform(8, 17)
    field = _blob(rng, size, at, radius, 0.16)
    field += sample("peel", rng, size, None) * 0.8
    pit = np.clip(-field / 4, 0, 1) * inside
    return Defect(
        "hole",
        (field < 0) & inside,
        np.asarray(-rng.uniform(10, 18) * pit, np.float32),
        (0.02, 0.02, 0.02),
        np.asarray(0.85 * pit, np.float32),
    )


STAINS = ((0.22, 0.09, 0.03), (0.03, 0.025, 0.02), (0.30, 0.20, 0.05), (0.55, 0.50, 0.42))


def stain(rng: np.random.Generator, size: int, at: Point, inside: Mask) -> Defect:
    """Rust, oil, glue or chalk: a patch of another colour, no relief."""
    radius = rng.uniform(13, 32)
    field = _blob(rng, size, at, radius, 0.13) + 2.5 * sample("peel", rng, size, None)
    density = np.clip(0.75 + 0.15 * sample("slow", rng, size, None), 0.45, 0.95)
    cover = np.clip(0.5 - field / 5, 0, 1) * density * inside
    tint = STAINS[int(rng.integers(len(STAINS)))]
    return Defect(
        "stain",
        (field < 0) & inside,
        np.zeros((size, size), np.float32),
        tint,
        np.asarray(cover, np.float32),
    )


KINDS = (scratch, dent, hole, stain)
