"""The camera: light, shadow, gloss, exposure and noise over a height field."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from tools.demo_student.materials import Material, sample
from tools.demo_student.parts import Map

SHADOW_STEPS = 20


@dataclass(frozen=True)
class Surface:
    """What is photographed.

    Attributes:
        height: [S, S] pixels.
        on_part: [S, S] bool; elsewhere is bench.
        bench: the bench's material.
        part: the part's material.
        polar: radius and angle about the part's centre, for turned finishes.
        tints: colours laid over the part with their cover 0...1.
    """

    height: Map
    on_part: NDArray[np.bool_]
    bench: Material
    part: Material
    polar: tuple[Map, Map]
    tints: list[tuple[tuple[float, float, float], Map]]


def normals_of(height: Map) -> Map:
    """Unit normals [S, S, 3] of a height field: x right, y up, z towards the camera."""
    dx = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    dy = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    normal = np.stack([-dx, dy, np.ones_like(height)], -1)  # image y runs down, camera y up
    return np.asarray(normal / np.linalg.norm(normal, axis=-1, keepdims=True), np.float32)


def _shadow(height: Map, direction: tuple[float, float], slope: float) -> Map:
    """0 in cast shadow, 1 in light; marches towards the light over the height field."""
    blocked = np.full(height.shape, -1e3, np.float32)
    for step in range(2, 2 + 2 * SHADOW_STEPS, 2):
        move = np.array([[1, 0, direction[0] * step], [0, 1, direction[1] * step]], np.float32)
        moved = cv2.warpAffine(height, move, height.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
        blocked = np.maximum(blocked, moved - slope * step)
    lit = np.clip(1 - (blocked - height) / 3, 0, 1)
    return np.asarray(cv2.GaussianBlur(lit.astype(np.float32), (0, 0), 1.2), np.float32)


def _paint(surface: Surface, rng: np.random.Generator) -> tuple[Map, Map, Map, Map]:
    """Colour [S, S, 3], fine relief, mirrored share and gloss exponent, [S, S] each."""
    size = len(surface.height)
    on = surface.on_part[..., None]
    colors, bumps = [], []
    for material in (surface.bench, surface.part):
        texture = sample(material.texture, rng, size, surface.polar)
        tone = np.array(material.color, np.float32) * np.float32(rng.uniform(0.8, 1.2))
        tone = tone * rng.uniform(0.92, 1.08, 3).astype(np.float32)
        slow = 0.06 * sample("slow", rng, size, None)
        colors.append(tone * np.clip(1 + material.mottle * texture + slow, 0.1, 3)[..., None])
        bumps.append(material.bump * texture)
    color = np.where(on, colors[1], colors[0]).astype(np.float32)
    metal = np.where(surface.on_part, surface.part.metal, surface.bench.metal).astype(np.float32)
    for tint, cover in surface.tints:
        color += (np.array(tint, np.float32) - color) * cover[..., None]
        metal *= 1 - cover
    bump = np.where(surface.on_part, bumps[1], bumps[0]).astype(np.float32)
    gloss = np.where(surface.on_part, surface.part.gloss, surface.bench.gloss).astype(np.float32)
    return color, bump, metal, gloss


def photograph(surface: Surface, rng: np.random.Generator) -> NDArray[np.uint8]:
    """An 8-bit RGB photograph [S, S, 3] under random light, exposure and noise."""
    height = surface.height
    size = len(height)
    color, bump, metal, gloss = _paint(surface, rng)
    normal = normals_of(height + bump)
    azimuth, elevation = rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(35, 62))
    flat = (float(np.cos(azimuth)), float(np.sin(azimuth)))  # towards the light, y up
    light = np.array([*(np.cos(elevation) * np.array(flat)), np.sin(elevation)], np.float32)
    shadow = _shadow(height, (-flat[0], flat[1]), float(np.tan(elevation)))
    diffuse = np.clip(normal @ light, 0, None) * shadow
    half = light + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    facing = np.clip(normal @ half, 0, 1)
    shine = np.exp(-(1 - facing) * gloss * 2) * shadow
    # A metal mirrors its surroundings: a bright dome overhead, a band of lamps to one side.
    sky = 0.55 + 0.45 * np.tanh(3 * (normal[..., 2] - 0.75)) + 0.35 * (normal[..., :2] @ light[:2])
    hollow = np.clip(1 - (cv2.GaussianBlur(height, (0, 0), 7) - height) / 28, 0.35, 1.1)
    ambient = rng.uniform(0.22, 0.4)
    body = (1 - 0.6 * metal) * (ambient * hollow + (1.25 - ambient) * diffuse)
    mirror = metal * (0.45 * sky * hollow + 0.9 * shine)
    warm = np.array([1.0, 1.0, 1.0]) + rng.uniform(-0.08, 0.08) * np.array([1.0, 0.1, -1.0])
    radiance = (
        color * (body + mirror)[..., None] + (0.16 * (1 - metal) * shine * (gloss > 20))[..., None]
    )
    radiance = radiance * warm.astype(np.float32) * np.float32(rng.uniform(1.0, 1.6))
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    radiance *= (1 - rng.uniform(0.0, 0.14) * (x * x + y * y)).astype(np.float32)[..., None]
    radiance = cv2.GaussianBlur(radiance.astype(np.float32), (0, 0), rng.uniform(0.4, 0.8))
    noise = rng.standard_normal(radiance.shape, np.float32)
    radiance += noise * np.sqrt(np.clip(radiance, 0, None) * 2e-4 + 2e-5)
    shown = np.clip(radiance, 0, 1) ** np.float32(1 / 2.2)
    return np.asarray(shown * 255 + 0.5, np.uint8)
