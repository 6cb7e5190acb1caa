"""Tiny labelled data sets for `tiny_student`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sakedge.format import Manifest, StudentFile

SIZE = (64, 96)


@pytest.fixture(scope="session")
def manifest(tiny_student: Path) -> Manifest:
    with StudentFile.open(tiny_student) as file:
        return file.manifest


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Writes a data set of the layout `folder` with noise for everything."""

    def make(count: int = 5, name: str = "data") -> Path:
        root = tmp_path / name
        write_folder(root, count)
        return root

    return make


def write_folder(root: Path, count: int) -> None:
    rng = np.random.default_rng(7)
    for part in ("images", "defects", "edge", "sal", "normals", "height"):
        (root / part).mkdir(parents=True, exist_ok=True)
    for i in range(count):
        name = f"part-{i}"
        picture = rng.integers(0, 256, (*SIZE, 3), np.uint8)
        Image.fromarray(picture).save(root / "images" / f"{name}.png")
        labels = rng.integers(0, 3, SIZE, np.uint8)
        labels[:4] = 255
        Image.fromarray(labels).save(root / "defects" / f"{name}.png")
        for task in ("edge", "sal"):
            np.save(root / task / f"{name}.npy", rng.random(SIZE) < 0.1)
        normals = rng.normal(0, 1, (*SIZE, 3)).astype(np.float32)
        np.save(root / "normals" / f"{name}.npy", normals)
        np.save(root / "height" / f"{name}.npy", rng.uniform(0.5, 5, SIZE).astype(np.float32))
