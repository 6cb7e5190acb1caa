"""Surfaces: colour, gloss and a fine relief, from procedural noise and packaged photographs.

The photographs are ones that scikit-image ships inside its wheel (gravel, grass); they serve only
as fine relief or mottling, never as ground truth.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data as photographs

Map = NDArray[np.float32]
BANK = 768  # side of the stored textures; scenes read random windows of them


@dataclass(frozen=True)
class Material:
    """How a surface looks.

    Attributes:
        color: mean linear RGB albedo, 0...1.
        texture: name of a texture in the bank.
        mottle: how strongly the texture modulates the colour.
        bump: how strongly the texture tilts the shading normal, in pixels of height.
        metal: share of the light that is mirrored with the surface's own colour, 0...1.
        gloss: exponent of the highlight.
    """

    color: tuple[float, float, float]
    texture: str
    mottle: float
    bump: float
    metal: float
    gloss: float


PARTS: dict[str, tuple[Material, ...]] = {
    "machined": (
        Material((0.50, 0.52, 0.55), "turned", 0.10, 0.10, 0.75, 30),
        Material((0.62, 0.50, 0.28), "turned", 0.10, 0.10, 0.75, 30),
    ),
    "brushed": (
        Material((0.58, 0.59, 0.60), "brushed", 0.16, 0.14, 0.65, 18),
        Material((0.60, 0.38, 0.27), "brushed", 0.16, 0.14, 0.65, 18),
    ),
    "cast": (
        Material((0.22, 0.22, 0.23), "gravel", 0.14, 0.45, 0.25, 8),
        Material((0.40, 0.40, 0.40), "sand", 0.08, 0.40, 0.35, 10),
        Material((0.30, 0.25, 0.21), "gravel", 0.14, 0.40, 0.20, 8),
    ),
    "coated": (
        Material((0.05, 0.15, 0.42), "peel", 0.03, 0.22, 0.10, 50),
        Material((0.48, 0.06, 0.05), "peel", 0.03, 0.22, 0.10, 50),
        Material((0.06, 0.28, 0.14), "peel", 0.03, 0.22, 0.10, 50),
        Material((0.65, 0.42, 0.05), "peel", 0.03, 0.22, 0.10, 50),
        Material((0.62, 0.62, 0.58), "peel", 0.03, 0.18, 0.10, 40),
    ),
}


@dataclass(frozen=True)
class Bench:
    """What the part lies on: its material, its distance from the camera, its relief.

    Attributes:
        material: how it looks.
        distance: camera to bench, metres. Each bench stands at its own height, so that the distance
            can be inferred from its appearance.
        ridges: height of its parallel ridges, pixels.
    """

    material: Material
    distance: float
    ridges: float = 0.0


BENCHES = (
    Bench(Material((0.10, 0.10, 0.11), "speckle", 0.55, 0.0, 0.05, 40), 0.60),  # granite
    Bench(Material((0.34, 0.20, 0.10), "wood", 0.35, 0.10, 0.04, 12), 0.58),
    Bench(Material((0.08, 0.17, 0.11), "grass", 0.22, 0.15, 0.0, 4), 0.62),  # felt
    Bench(Material((0.40, 0.41, 0.42), "fine", 0.10, 0.06, 0.10, 14), 0.56),  # painted steel
    Bench(Material((0.055, 0.055, 0.06), "fine", 0.15, 0.12, 0.06, 14), 0.60, 7.0),  # ribbed mat
    Bench(Material((0.10, 0.17, 0.30), "fine", 0.10, 0.10, 0.05, 20), 0.64, 10.0),  # ribbed tray
)

SOLDER_MASKS = (
    Material((0.02, 0.13, 0.05), "fine", 0.05, 0.03, 0.10, 45),
    Material((0.02, 0.13, 0.05), "fine", 0.05, 0.03, 0.10, 45),  # most boards are green
    Material((0.02, 0.06, 0.20), "fine", 0.05, 0.03, 0.10, 45),
    Material((0.20, 0.02, 0.02), "fine", 0.05, 0.03, 0.10, 45),
)
MATS = (  # what circuit boards lie on
    Bench(Material((0.16, 0.30, 0.42), "fine", 0.06, 0.05, 0.05, 16), 0.50),  # antistatic mat
    Bench(Material((0.52, 0.28, 0.32), "peel", 0.10, 0.20, 0.0, 4), 0.53),  # antistatic foam
)


def _noise(seed: int, sigma_x: float, sigma_y: float) -> Map:
    """Gaussian noise blurred by different amounts along x and y, unit variance."""
    white = np.random.default_rng(seed).standard_normal((BANK, BANK)).astype(np.float32)
    soft = cv2.GaussianBlur(white, (0, 0), sigmaX=sigma_x, sigmaY=sigma_y)
    return np.asarray((soft - soft.mean()) / soft.std(), np.float32)


def _photograph(name: str) -> Map:
    """A packaged photograph, grey, without its slow shading, unit variance."""
    grey = getattr(photographs, name)().astype(np.float32)
    flat = grey - cv2.GaussianBlur(grey, (0, 0), 24)
    # Shrunk until stones are grains and blades are fibres, then mirrored to fill the bank.
    small = cv2.resize(flat, (BANK // 6, BANK // 6), interpolation=cv2.INTER_AREA)
    tiled = np.pad(small, ((0, BANK - len(small)),) * 2, mode="symmetric")
    return np.asarray(tiled / tiled.std(), np.float32)


@cache
def bank() -> dict[str, Map]:
    """All textures by name, [BANK, BANK] each, mean 0, variance 1."""
    fine = _noise(1, 0.8, 0.8)
    grain = np.sin(_noise(4, 40, 3) * 5 + np.arange(BANK, dtype=np.float32)[:, None] / 9)
    return {
        "fine": fine,
        "peel": _noise(2, 2.0, 2.0),
        "brushed": 0.8 * _noise(3, 30, 0.6) + 0.2 * fine,
        "wood": np.asarray(0.7 * grain + 0.5 * _noise(5, 25, 0.7), np.float32),
        "speckle": np.asarray(np.clip(_noise(6, 1.2, 1.2) - 0.7, 0, 3) * 2 - 0.4, np.float32),
        "gravel": _photograph("gravel"),
        "grass": _photograph("grass"),
        "sand": np.asarray(0.7 * _noise(8, 1.4, 1.4) + 0.5 * fine, np.float32),
        "slow": _noise(7, 22, 22),
    }


def sample(name: str, rng: np.random.Generator, size: int, polar: tuple[Map, Map] | None) -> Map:
    """A window [size, size] of a texture, turned by a random angle.

    Args:
        name: a texture of the bank, or "turned": the brushed texture wound around a centre.
        rng: source of randomness.
        size: pixels a side.
        polar: radius (pixels) and angle of every pixel about the part's centre, for "turned".
    """
    if name == "turned" and polar is not None:
        radius, angle = polar
        # Around the centre the texture is nearly constant along the angle.
        u = (angle * 40 + 150 + rng.uniform(0, 300)).astype(np.float32)
        v = (radius * 1.5 + rng.uniform(0, 300)).astype(np.float32)
        return np.asarray(
            cv2.remap(bank()["brushed"], u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT),
            np.float32,
        )
    turn = cv2.getRotationMatrix2D((BANK / 2, BANK / 2), rng.uniform(0, 360), 1.0)
    turn[:, 2] += size / 2 - BANK / 2 + rng.uniform(-100, 100, 2)
    return np.asarray(
        cv2.warpAffine(
            bank()["brushed" if name == "turned" else name],
            turn,
            (size, size),
            borderMode=cv2.BORDER_REFLECT,
        ),
        np.float32,
    )
