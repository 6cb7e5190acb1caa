"""The new product: printed circuit boards, in pixels (1 px is 1 mm).

A board is laid out in its own frame, sides along the axes, and then turned into the image.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from tools.demo_student import parts
from tools.demo_student.defects import Defect
from tools.demo_student.parts import Map, Part, Point

Color = tuple[float, float, float]
Tint = tuple[Color, Map]
THICK = 5.0  # pixels the laminate is high
GOLD, TIN, SILK = (0.72, 0.50, 0.18), (0.62, 0.62, 0.60), (0.80, 0.80, 0.78)
BLACK = (0.022, 0.022, 0.025)
INKS = ("track", "via", "gold", "silk", "tin", "dark", "mark")
CLEAR = 7.0  # pixels between two components


@dataclass(frozen=True)
class Package:
    """A kind of component.

    Attributes:
        half: smallest and largest half width and half length.
        rise: height above the laminate.
        slope: width of its flanks.
        corner: radius of its corners.
        color: of its body.
        leads: whether tinned leads stand out along its long sides.
        mark: what is printed or pressed on its top: "dot", "stripe", "pins" or "".
    """

    half: tuple[Point, Point]
    rise: float
    slope: float
    corner: float
    color: Color
    leads: bool = False
    mark: str = ""


PACKAGES = {
    "chip": Package(((13, 14), (22, 26)), 7, 2, 2, BLACK, leads=True, mark="dot"),
    "memory": Package(((9, 15), (12, 24)), 6, 2, 2, BLACK, leads=True, mark="dot"),
    "shield": Package(((20, 22), (30, 34)), 10, 3, 3, (0.55, 0.56, 0.58)),
    "capacitor": Package(((11, 11), (16, 16)), 22, 3, 16, (0.52, 0.53, 0.55), mark="stripe"),
    "connector": Package(((10, 24), (13, 40)), 16, 2, 2, (0.74, 0.70, 0.58), mark="pins"),
    "coil": Package(((13, 13), (17, 17)), 12, 5, 6, (0.075, 0.075, 0.08)),
}
# The first of a board are certain, so that every board shows that it is one.
MUST, MAY = ("chip", "capacitor", "shield"), tuple(PACKAGES)


@dataclass(frozen=True)
class Placed:
    """A component in the board's frame: its kind, its centre and its half sides."""

    kind: str
    at: Point
    half: Point


@dataclass
class Board:
    """A sound board, but for the components that are missing.

    Attributes:
        part: outline, relief and segments; `part.through` are its mounting holes.
        missing: [S, S] bool, footprints without their component.
        lid: [S, S] bool, tops of the shields, which can be dented.
        tints: colours laid over the solder mask.
    """

    part: Part
    missing: NDArray[np.bool_]
    lid: NDArray[np.bool_]
    tints: list[Tint]


class _Print:
    """What is printed on a board, by ink, drawn in its own frame and turned into the image.

    Attributes:
        inks: [S, S] uint8 each, 255 where there is ink.
    """

    def __init__(self, size: int, center: Point, angle: float) -> None:
        self.size = size
        self.inks = {name: np.zeros((size, size), np.uint8) for name in INKS}
        c, s = np.cos(angle), np.sin(angle)
        middle = size / 2
        shift = center[0] - c * middle + s * middle, center[1] - s * middle - c * middle
        self.turn = np.array([[c, -s, shift[0]], [s, c, shift[1]]], np.float32)

    def box(self, ink: str, at: Point, half: Point, line: int = -1) -> None:
        """A rectangle about `at`, filled or as a line."""
        self._box(self.inks[ink], at, half, line)

    def disc(self, ink: str, at: Point, radius: float) -> None:
        """A filled disc about `at`."""
        cv2.circle(self.inks[ink], self._fine(*at), round(radius * 16), 255, -1, cv2.LINE_AA, 4)

    def path(self, ink: str, points: list[Point], width: int) -> None:
        """A line through points."""
        fine = np.array([self._fine(*p) for p in points], np.int32)
        cv2.polylines(self.inks[ink], [fine], False, 255, width, cv2.LINE_AA, 4)

    def clear(self, inks: tuple[str, ...], at: Point, half: Point) -> None:
        """Nothing of these inks within a rectangle."""
        hidden = np.zeros((self.size, self.size), np.uint8)
        self._box(hidden, at, half, -1)
        for ink in inks:
            self.inks[ink][hidden > 0] = 0

    def seen(self, ink: str) -> Map:
        """An ink in the image, 0...1."""
        turned = cv2.warpAffine(self.inks[ink], self.turn, (self.size, self.size))
        return np.asarray(turned.astype(np.float32) / 255, np.float32)

    def _box(self, layer: NDArray[np.uint8], at: Point, half: Point, line: int) -> None:
        low = self._fine(at[0] - half[0], at[1] - half[1])
        high = self._fine(at[0] + half[0], at[1] + half[1])
        cv2.rectangle(layer, low, high, 255, line, cv2.LINE_AA, 4)

    def _fine(self, u: float, v: float) -> tuple[int, int]:
        return round((u + self.size / 2) * 16), round((v + self.size / 2) * 16)


def _place(rng: np.random.Generator, half: Point) -> list[Placed]:
    """Components that do not touch each other, the edge or the corner holes."""
    placed: list[Placed] = []
    kinds = [*MUST, *rng.choice(MAY, 30)]
    most = int(rng.integers(6, 11))
    for kind in kinds:
        low, high = PACKAGES[kind].half
        a, b = (float(rng.uniform(x, y)) for x, y in zip(low, high, strict=True))
        if kind in ("capacitor", "coil"):
            b = a
        w, h = (a, b) if rng.random() < 0.5 else (b, a)
        for _ in range(12):
            reach = half[0] - w - 8, half[1] - h - 8
            at = (float(rng.uniform(-reach[0], reach[0])), float(rng.uniform(-reach[1], reach[1])))
            corner = half[0] - abs(at[0]) - w < 22 and half[1] - abs(at[1]) - h < 22
            apart = all(
                abs(at[0] - p.at[0]) > w + p.half[0] + CLEAR
                or abs(at[1] - p.at[1]) > h + p.half[1] + CLEAR
                for p in placed
            )
            if apart and not corner:
                placed.append(Placed(kind, at, (w, h)))
                break
        if len(placed) == most:
            break
    return placed


def _print_tracks(rng: np.random.Generator, art: _Print, half: Point) -> None:
    """Bundles of tracks with one bend each, and the vias at their ends."""
    most = half[0] - 5, half[1] - 5
    for _ in range(int(rng.integers(14, 22))):
        u, v = rng.uniform(-half[0] + 8, half[0] - 8), rng.uniform(-half[1] + 8, half[1] - 8)
        first, second = rng.uniform(15, 60, 2) * rng.choice([-1, 1], 2)
        width, pitch = int(rng.integers(1, 3)), rng.uniform(3.5, 5)
        for n in range(int(rng.integers(1, 6))):
            a, b = u + n * pitch, v + n * pitch
            slant = min(abs(first), 12.0)
            bend = a + first + slant * np.sign(first)
            corners = [(a, b), (a + first, b), (bend, b + slant * np.sign(second))]
            points = [
                (float(np.clip(p, -most[0], most[0])), float(np.clip(q, -most[1], most[1])))
                for p, q in [*corners, (bend, b + second)]
            ]
            art.path("track", points, width)
            art.disc("via", points[0], 1.6)
            art.disc("via", points[-1], 1.6)


def _print_small_parts(rng: np.random.Generator, art: _Print, half: Point) -> None:
    """Chip resistors and capacitors: too small to be outlined, they are the board's pattern."""
    for _ in range(int(rng.integers(10, 26))):
        at = (rng.uniform(-half[0] + 10, half[0] - 10), rng.uniform(-half[1] + 10, half[1] - 10))
        along = bool(rng.integers(2))
        art.box("tin", at, (4.5, 2.2) if along else (2.2, 4.5))
        art.box("dark", at, (2.4, 2.2) if along else (2.2, 2.4))


def _print_footprint(art: _Print, one: Placed) -> None:
    """Pads and outline, which are printed whether or not the component is there."""
    (u, v), (w, h) = one.at, one.half
    art.clear(("gold", "tin", "silk", "dark"), one.at, (w + 4, h + 4))
    art.box("silk", one.at, (w + 3, h + 3), 1)
    if PACKAGES[one.kind].leads:
        along = h >= w
        for n in np.arange(-max(w, h) + 3, max(w, h) - 1, 4.5):
            for side in (-1, 1):
                at = (u + side * w, v + n) if along else (u + n, v + side * h)
                art.box("tin", at, (3.2, 1.2) if along else (1.2, 3.2))
    else:
        for side in (-1, 1):
            art.box("gold", (u + side * w * 0.55, v), (w * 0.3, min(h * 0.6, 9)))


def _print_top(art: _Print, one: Placed) -> None:
    """What is on a component's top."""
    (u, v), (w, h) = one.at, one.half
    mark = PACKAGES[one.kind].mark
    if mark == "dot":
        art.disc("mark", (u - w + 5, v - h + 5), 1.8)
        for n in (-3.0, 2.0):
            art.box("mark", (u + 1, v + n), (min(w, 12) * 0.6, 0.6))
    elif mark == "stripe":
        art.box("dark", (u - w * 0.62, v), (w * 0.2, h * 0.7))
    elif mark == "pins":
        long = max(w, h) - 4
        for n in np.arange(-long, long + 1, 6.0):
            art.box("dark", (u, v + n) if h >= w else (u + n, v), (1.8, 1.8))


def board(rng: np.random.Generator, size: int, sound: bool) -> Board:
    """A laminate with components; unless it is sound, one or two of them may be missing."""
    center = tuple(size / 2 + rng.uniform(-10, 10, 2))
    angle = rng.uniform(0, 2 * np.pi)
    half = (float(rng.uniform(84, 102)), float(rng.uniform(64, 80)))
    u, v = parts.local(size, center, angle)
    outline = parts.box(u, v, half, 5)
    height = THICK * parts.ramp(outline, 2)
    segments = (outline < 0).astype(np.int32)
    through, missing, lid = (np.zeros((size, size), np.bool_) for _ in range(3))
    art = _Print(size, center, angle)
    for a, b in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
        at = (a * (half[0] - 11), b * (half[1] - 11))
        art.disc("gold", at, 8)
        through |= np.hypot(u - at[0], v - at[1]) < 5
    _print_tracks(rng, art, half)
    _print_small_parts(rng, art, half)
    placed = _place(rng, half)
    gone: set[int] = set()
    if not sound and rng.random() < 0.6:
        gone = set(rng.permutation(len(placed))[: int(rng.integers(1, 3))].tolist())
    bodies: list[Tint] = []
    for n, one in enumerate(placed):
        package = PACKAGES[one.kind]
        field = parts.box(u - one.at[0], v - one.at[1], one.half, min(package.corner, *one.half))
        _print_footprint(art, one)
        segments[field < 0] = 100 + n
        if n in gone:
            missing |= field < 0
            continue
        height += package.rise * parts.ramp(field, package.slope)
        bodies.append((package.color, parts.ramp(field + 1, 1.5)))
        lid |= (field < -4) & (one.kind == "shield")
        _print_top(art, one)
    tints = _tints(art, bodies, float(rng.uniform(1.5, 2.2)))
    part = Part(height.astype(np.float32), outline, segments, [], through, center)
    return Board(part, missing, lid, tints)


def _tints(art: _Print, bodies: list[Tint], shade: float) -> list[Tint]:
    """The inks and bodies from below to above; tracks are the solder mask, `shade` as light."""
    bare = 1 - np.maximum.reduce(
        [np.zeros((art.size, art.size), np.float32), *(b for _, b in bodies)]
    )
    return [
        ((0.10 * shade, 0.22 * shade, 0.12 * shade), 0.45 * art.seen("track") * bare),
        (GOLD, 0.9 * art.seen("via") * bare),
        (GOLD, 0.9 * art.seen("gold") * bare),
        (SILK, 0.85 * art.seen("silk") * bare),
        *bodies,
        (TIN, 0.9 * art.seen("tin") * bare),
        (BLACK, 0.9 * art.seen("dark")),
        (SILK, 0.6 * art.seen("mark")),
    ]


BURNT, FLUX, COPPER = (0.05, 0.025, 0.012), (0.50, 0.42, 0.18), (0.66, 0.34, 0.18)


def as_on_a_board(found: Defect, rng: np.random.Generator) -> Defect:
    """A defect in a board's colours: a scratch shows copper, a stain is burnt or flux."""
    if found.label == "scratch":
        return replace(found, tint=COPPER)
    if found.label == "stain":
        return replace(found, tint=BURNT if rng.random() < 0.5 else FLUX)
    return found
