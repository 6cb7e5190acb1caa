"""Images and students to quantise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

ENOUGH = 48
"""Images for three sets of the fewest each."""


def noise(count: int, seed: int = 0, size: tuple[int, int] = (64, 96)) -> list[NDArray[Any]]:
    """Pictures of soft blobs, all different, uint8 RGB."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, size[0] // 16, size[1] // 16, 3), np.uint8)
    sharp = (Image.fromarray(each) for each in coarse)
    return [np.asarray(each.resize((size[1], size[0]))) for each in sharp]


def write(folder: Path, pictures: list[NDArray[Any]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for i, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{i:03d}.png")
    return folder


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with just enough images. Not to be written to."""
    return write(tmp_path_factory.mktemp("calibration"), noise(ENOUGH))
