"""Part families as signed distances and height fields, in pixels (1 px is 1 mm)."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]
Point = tuple[float, float]


@dataclass
class Part:
    """A sound part before defects.

    Attributes:
        height: [S, S] pixels above the bench, 0 off the part.
        outline: [S, S] signed distance to the silhouette, negative inside.
        segments: [S, S] ids; a change of id is a boundary.
        sites: centres and radii of the pattern's features, all alike: (x, y, radius).
        through: [S, S] bool, where the bench is seen through an intended hole.
        center: the part's centre.
        finishes: the surface finishes the family comes in.
    """

    height: Map
    outline: Map
    segments: NDArray[np.int32]
    sites: list[tuple[float, float, float]]
    through: NDArray[np.bool_]
    center: Point
    finishes: tuple[str, ...] = field(default=("machined", "brushed", "cast", "coated"))


def grid(size: int) -> tuple[Map, Map]:
    """Pixel coordinates x (right) and y (down), [size, size] each."""
    y, x = np.mgrid[:size, :size].astype(np.float32)
    return x, y


def local(size: int, center: Point, angle: float) -> tuple[Map, Map]:
    """Coordinates about `center`, turned by `angle` radians."""
    x, y = grid(size)
    x, y = x - np.float32(center[0]), y - np.float32(center[1])
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return c * x + s * y, -s * x + c * y


def box(u: Map, v: Map, half: Point, corner: float) -> Map:
    """Signed distance to a rectangle with rounded corners."""
    qx = np.abs(u) - np.float32(half[0] - corner)
    qy = np.abs(v) - np.float32(half[1] - corner)
    outside = np.hypot(np.maximum(qx, 0), np.maximum(qy, 0))
    return np.asarray(outside + np.minimum(np.maximum(qx, qy), 0) - corner, np.float32)


def hexagon(u: Map, v: Map, inner: float) -> Map:
    """Signed distance (exact inside, approximate outside) to a regular hexagon."""
    third = np.pi / 3
    sides = [np.abs(u * np.cos(k * third) + v * np.sin(k * third)) for k in range(3)]
    return np.asarray(np.maximum.reduce(sides) - inner, np.float32)


def ramp(distance: Map, width: float) -> Map:
    """0 at and outside a boundary, 1 from `width` inside it, smooth between."""
    t = np.clip(-distance / np.float32(width), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def disc(size: int, center: Point, radius: float) -> Map:
    """Signed distance to a disc."""
    x, y = grid(size)
    return np.asarray(np.hypot(x - center[0], y - center[1]) - radius, np.float32)


def _place(sites: list[Point], center: Point, angle: float) -> list[Point]:
    """Part coordinates to image coordinates."""
    c, s = np.cos(angle), np.sin(angle)
    return [(center[0] + c * u - s * v, center[1] + s * u + c * v) for u, v in sites]


def flange(rng: np.random.Generator, size: int) -> Part:
    """A disc with a hub, a bore and a bolt circle."""
    center = tuple(size / 2 + rng.uniform(-14, 14, 2))
    angle = rng.uniform(0, 2 * np.pi)
    radius = rng.uniform(88, 112)
    outline = disc(size, center, radius)
    hub, bore = radius * rng.uniform(0.42, 0.5), radius * rng.uniform(0.16, 0.26)
    thick, rise = rng.uniform(18, 34), rng.uniform(8, 26)
    height = thick * ramp(outline, rng.uniform(5, 14))
    height += rise * ramp(disc(size, center, hub), rng.uniform(5, 16))
    through = disc(size, center, bore) < 0
    count = int(rng.integers(4, 8))
    ring = (radius + hub) / 2
    turns = angle + 2 * np.pi * np.arange(count) / count
    around = [(ring * np.cos(t), ring * np.sin(t)) for t in turns]
    site = min(0.36 * (radius - hub), rng.uniform(9.5, 13))
    sites = [(x, y, site) for x, y in _place(around, center, 0.0)]
    segments = (outline < 0).astype(np.int32) + (disc(size, center, hub) < 0)
    return Part(height, outline, segments, sites, through, center)


def plate(rng: np.random.Generator, size: int) -> Part:
    """A rounded plate with a rectangular hole pattern and a raised or sunk field."""
    center = tuple(size / 2 + rng.uniform(-12, 12, 2))
    angle = rng.uniform(0, np.pi)
    half = (rng.uniform(84, 108), rng.uniform(58, 84))
    u, v = local(size, center, angle)
    outline = box(u, v, half, rng.uniform(8, 26))
    field_ = box(u, v, (half[0] * 0.58, half[1] * 0.5), rng.uniform(6, 20))
    step = rng.uniform(6, 18) * rng.choice([-1, 1])
    height = rng.uniform(24, 38) * ramp(outline, rng.uniform(4, 14))
    height += step * ramp(field_, rng.uniform(5, 14))
    site = rng.uniform(9.5, 12.5)
    columns = int(rng.integers(2, 4))
    reach = (half[0] - 19, half[1] - 17)
    pattern = [
        (x, y) for x in np.linspace(-reach[0], reach[0], columns) for y in (-reach[1], reach[1])
    ]
    sites = [(x, y, site) for x, y in _place(pattern, center, angle)]
    segments = (outline < 0).astype(np.int32) + (field_ < 0)
    nowhere = np.zeros((size, size), np.bool_)
    return Part(height, outline, segments, sites, nowhere, center)


def housing(rng: np.random.Generator, size: int) -> Part:
    """A domed casting with ears that carry the features."""
    center = tuple(size / 2 + rng.uniform(-12, 12, 2))
    angle = rng.uniform(0, np.pi)
    half = (rng.uniform(64, 80), rng.uniform(52, 72))
    u, v = local(size, center, angle)
    body = box(u, v, half, rng.uniform(30, 46))
    site = rng.uniform(10, 12.5)
    corner = (half[0] * 0.92, half[1] * 0.92)
    pattern = [(a * corner[0], b * corner[1]) for a in (-1, 1) for b in (-1, 1)]
    spots = _place(pattern, center, angle)
    ears = np.minimum.reduce([disc(size, p, site + 11) for p in spots])
    outline = np.minimum(body, ears)
    height = 16 * ramp(outline, 7) + rng.uniform(22, 40) * np.sqrt(ramp(body, rng.uniform(34, 60)))
    segments = (outline < 0).astype(np.int32) + (body < -2)
    nowhere = np.zeros((size, size), np.bool_)
    sites = [(x, y, site) for x, y in spots]
    return Part(
        height.astype(np.float32), outline, segments, sites, nowhere, center, ("cast", "coated")
    )


def bracket(rng: np.random.Generator, size: int) -> Part:
    """An angle bracket: two arms, a wedge-shaped rib between them."""
    center = tuple(size / 2 + rng.uniform(-8, 8, 2))
    angle = rng.uniform(0, 2 * np.pi)
    u, v = local(size, center, angle)
    arm, long = rng.uniform(25, 32), rng.uniform(86, 100)
    first = box(u, v - 60, (long, arm), 12)
    second = box(u + 62, v, (arm, long), 12)
    outline = np.minimum(first, second)
    thick = rng.uniform(18, 30)
    slope = rng.uniform(0.06, 0.22)
    height = (thick + slope * (u + long)) * ramp(outline, rng.uniform(4, 12))
    height += rng.uniform(8, 20) * ramp(box(u + 62, v - 60, (arm - 6, arm - 6), 10), 8)
    site = rng.uniform(9.5, 12)
    pattern = [(long - 22, 60), (10.0, 60), (-62, 0.0), (-62, 22 - long)]
    sites = [(x, y, site) for x, y in _place(pattern, center, angle)]
    segments = (outline < 0).astype(np.int32)
    nowhere = np.zeros((size, size), np.bool_)
    finishes = ("brushed", "coated", "cast")
    return Part(height.astype(np.float32), outline, segments, sites, nowhere, center, finishes)


def nuts(rng: np.random.Generator, size: int) -> Part:
    """Loose hexagon nuts and washers on the bench."""
    outline = np.full((size, size), 1e3, np.float32)
    height = np.zeros((size, size), np.float32)
    through = np.zeros((size, size), np.bool_)
    segments = np.zeros((size, size), np.int32)
    cells = rng.permutation(4)[: int(rng.integers(2, 5))]
    thick, chamfer = rng.uniform(16, 34), rng.uniform(7, 18)
    for n, cell in enumerate(cells):
        at = (
            66 + 124 * (cell % 2) + rng.uniform(-6, 6),
            66 + 124 * (cell // 2) + rng.uniform(-6, 6),
        )
        u, v = local(size, at, rng.uniform(0, np.pi))
        inner = rng.uniform(40, 50)
        one = hexagon(u, v, inner) if rng.random() < 0.7 else disc(size, at, inner)
        outline = np.minimum(outline, one)
        height += thick * ramp(one, chamfer) * (one < 0)
        through |= disc(size, at, inner * 0.36) < 0
        segments[one < 0] = n + 1
    center = (size / 2, size / 2)
    return Part(height, outline, segments, [], through, center, ("machined", "brushed", "coated"))


FAMILIES = (flange, plate, housing, bracket, nuts)
