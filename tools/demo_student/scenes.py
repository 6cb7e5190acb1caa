"""One inspection scene: a part on a bench, its features, its defects, the photograph of it.

Units: lengths in pixels, 1 px = 1 mm, orthographic camera from above. Normals are in the camera's
frame: x right, y up, z towards the camera. Depth is the distance from the camera in metres.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from tools.demo_student import boards, defects, materials, parts, spec
from tools.demo_student.parts import Map
from tools.demo_student.photograph import Surface, normals_of, photograph

EDGE_WIDTH = 5  # pixels


@dataclass(frozen=True)
class Scene:
    """An image and its exact ground truth, all [S, S, ...].

    Attributes:
        image: uint8 RGB.
        semseg: uint8 class per pixel.
        edge: bool.
        sal: bool, defect.
        normals: float32 unit vectors.
        depth: float32 metres.
    """

    image: NDArray[np.uint8]
    semseg: NDArray[np.uint8]
    edge: NDArray[np.bool_]
    sal: NDArray[np.bool_]
    normals: Map
    depth: Map


def _features(
    part: parts.Part, rng: np.random.Generator, sound: bool
) -> tuple[Map, Map, NDArray[np.bool_]]:
    """Drill or raise the pattern's features; leave one or two out now and then.

    Every site has a spot face, a shallow turned disc; a missing feature leaves only that, bare.

    Returns:
        Cover of dark ground, cover of bare metal (0...1 each), and where a feature is missing.
    """
    size = len(part.height)
    dark, bare = np.zeros((size, size), np.float32), np.zeros((size, size), np.float32)
    missing = np.zeros((size, size), np.bool_)
    if not part.sites:
        return dark, bare, missing
    gone: set[int] = set()
    if not sound and rng.random() < 0.5:
        gone = set(rng.permutation(len(part.sites))[: int(rng.integers(1, 3))].tolist())
    style = rng.choice(["hole", "boss", "screw"])
    for n, (x, y, radius) in enumerate(part.sites):
        face = parts.disc(size, (x, y), radius + 3)
        part.height -= 1.5 * parts.ramp(face, 2)
        part.segments[face < 0] = 100 + n
        if n in gone:
            missing |= face < 0
            part.height -= 2.5 * parts.ramp(face, 3)
            bare = np.maximum(bare, 0.5 * parts.ramp(face, 2))
            continue
        core = parts.disc(size, (x, y), radius - 1)
        if style == "hole":
            part.through |= core < 0
        else:
            part.height += (9 if style == "boss" else 6) * parts.ramp(
                core, 5 if style == "boss" else 2
            )
        if style == "screw":
            socket = parts.hexagon(*parts.local(size, (x, y), 0.4 * n), radius * 0.42)
            part.height -= 5 * parts.ramp(socket, 2)
            dark = np.maximum(dark, 0.8 * parts.ramp(socket, 2))
    return dark, bare, missing


def _site_for(defect_room: NDArray[np.bool_], rng: np.random.Generator) -> parts.Point | None:
    """A random place with room around it."""
    ys, xs = np.nonzero(defect_room)
    if len(xs) == 0:
        return None
    pick = int(rng.integers(len(xs)))
    return float(xs[pick]), float(ys[pick])


def _boundaries(ids: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Pixels whose right or lower neighbour has another id."""
    edge = np.zeros(ids.shape, np.bool_)
    edge[:, :-1] |= ids[:, 1:] != ids[:, :-1]
    edge[:-1] |= ids[1:] != ids[:-1]
    return edge


@dataclass
class _Draft:
    """A scene before its photograph: the part, its labels, its defects so far."""

    part: parts.Part
    on_part: NDArray[np.bool_]
    semseg: NDArray[np.uint8]
    ids: NDArray[np.int32]
    lines: NDArray[np.bool_]
    tints: list[tuple[tuple[float, float, float], Map]]

    @classmethod
    def of(
        cls,
        part: parts.Part,
        missing: NDArray[np.bool_],
        tints: list[tuple[tuple[float, float, float], Map]],
    ) -> "_Draft":
        """A part as it is, but for what is missing from it."""
        on_part = (part.outline < 0) & ~part.through
        semseg = on_part.astype(np.uint8)
        semseg[missing & on_part] = spec.CLASSES.index("missing")
        ids = np.where(on_part, part.segments, 0)
        return cls(part, on_part, semseg, ids, np.zeros_like(on_part), tints)

    def add(self, found: defects.Defect) -> None:
        """Lay a defect over what is there."""
        self.part.height += found.height
        self.tints.append((found.tint, found.cover))
        self.semseg[found.mask] = spec.CLASSES.index(found.label)
        if found.edge is None:
            self.ids[found.mask] = 1000 + spec.CLASSES.index(found.label)
        else:
            self.lines |= found.edge


def _room(free: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where a defect may be centred: some way inside."""
    return cv2.distanceTransform(free.astype(np.uint8), cv2.DIST_L2, 3) > 9


def _around(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A defect and the sound strip around it."""
    return cv2.dilate(mask.astype(np.uint8), np.ones((25, 25), np.uint8)) > 0


def make_scene(seed: int) -> Scene:
    """The scene of a seed."""
    rng = np.random.default_rng(seed)
    size = spec.SIZE
    sound = bool(rng.random() < 0.1)
    part = parts.FAMILIES[int(rng.choice(5, p=[0.24, 0.24, 0.2, 0.18, 0.14]))](rng, size)
    bench = materials.BENCHES[int(rng.integers(len(materials.BENCHES)))]
    finish = materials.PARTS[str(rng.choice(part.finishes))]
    dark, bare, missing = _features(part, rng, sound)
    tints = [((0.01, 0.01, 0.01), dark), ((0.75, 0.75, 0.72), bare)]
    draft = _Draft.of(part, missing, tints)
    room = _room(draft.on_part & ~missing)
    count = 0 if sound else int(rng.integers(1, 5))
    for _ in range(count):
        at = _site_for(room, rng)
        if at is None:
            break
        kind = defects.KINDS[int(rng.choice(4, p=[0.28, 0.26, 0.22, 0.24]))]
        found = kind(rng, size, at, draft.on_part & (draft.semseg == 1))
        draft.add(found)
        room &= ~_around(found.mask)
    return _shoot(draft, bench, finish, rng)


def make_board_scene(seed: int) -> Scene:
    """The scene of the new product, a circuit board, of a seed."""
    rng = np.random.default_rng(seed)
    size = spec.SIZE
    sound = bool(rng.random() < 0.1)
    board = boards.board(rng, size, sound)
    draft = _Draft.of(board.part, board.missing, board.tints)
    bench = materials.MATS[int(rng.integers(len(materials.MATS)))]
    bare, lid = _room(draft.ids == 1), _room(board.lid)
    count = 0 if sound else int(rng.integers(1, 5))
    for _ in range(count):
        kind = defects.KINDS[int(rng.choice(4, p=[0.3, 0.22, 0.24, 0.24]))]
        at = _site_for(lid if kind is defects.dent else bare, rng)
        if at is None:
            continue
        inside = board.lid if kind is defects.dent else draft.ids == 1
        found = kind(rng, size, at, inside & (draft.semseg == 1))
        draft.add(boards.as_on_a_board(found, rng))
        bare &= ~_around(found.mask)
        lid &= ~_around(found.mask)
    return _shoot(draft, bench, materials.SOLDER_MASKS, rng)


def _shoot(
    draft: _Draft,
    bench: materials.Bench,
    finish: tuple[materials.Material, ...],
    rng: np.random.Generator,
) -> Scene:
    """Put a part of one of these finishes on a bench and photograph it."""
    part, on_part, size = draft.part, draft.on_part, spec.SIZE
    height = np.where(on_part, np.maximum(part.height, 0.5), 0).astype(np.float32)
    if bench.ridges:
        along = parts.local(size, (rng.uniform(0, size), 0), rng.uniform(0, np.pi))[0]
        wave = bench.ridges * (0.5 + 0.5 * np.cos(along * (2 * np.pi / 44)))
        height = np.where(on_part, height + bench.ridges, wave).astype(np.float32)
    # The lens does not resolve a vertical wall; nor does the ground truth.
    height = cv2.GaussianBlur(height, (0, 0), 1.0)
    edge = _boundaries(draft.ids) | draft.lines
    edge = cv2.dilate(
        edge.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (EDGE_WIDTH,) * 2)
    )

    radius = np.hypot(*parts.local(size, part.center, 0.0)).astype(np.float32)
    angle = np.arctan2(*parts.local(size, part.center, 0.0)[::-1]).astype(np.float32)
    surface = Surface(
        height,
        on_part,
        bench.material,
        finish[int(rng.integers(len(finish)))],
        (radius, angle),
        draft.tints,
    )
    return Scene(
        photograph(surface, rng),
        draft.semseg,
        edge > 0,
        draft.semseg >= spec.FIRST_DEFECT,
        normals_of(height),
        np.asarray(bench.distance - height * 1e-3, np.float32),
    )
