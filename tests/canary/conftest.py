"""The tiny student, and golden images whose truth is what it says itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.support.canary import adapter, changed, having, noisy
from tests.support.datasets import SIZE, manifest

import sakedge
from sakedge.adapters.snapshot import Snapshot
from sakedge.canary.golden import Golden

__all__ = ["golden", "images", "limited", "manifest", "shipped", "student", "worse"]

TASKS = ("defects", "sal", "height")


@pytest.fixture(scope="session")
def student(tiny_student: Path) -> Iterator[sakedge.Student]:
    """Not to be changed."""
    with sakedge.load(tiny_student, precision="fp32", threads=1) as loaded:
        yield loaded


@pytest.fixture(scope="session")
def images(student: sakedge.Student, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 golden images without limits. Not to be written to."""
    root = tmp_path_factory.mktemp("golden")
    write_images(root, student, 24)
    return root


@pytest.fixture
def limited(images: Path, student: sakedge.Student, tmp_path: Path) -> Callable[..., Golden]:
    """The golden images with limits."""

    def make(**limits: Any) -> Golden:
        root = tmp_path / "limited"
        root.mkdir(exist_ok=True)
        for each in images.iterdir():
            if not (root / each.name).exists():
                (root / each.name).symlink_to(each)
        (root / "golden.json").write_text(json.dumps({"format_version": 1, **limits}))
        return Golden.read(root, student.manifest)

    return make


@pytest.fixture(scope="session")
def golden(images: Path, student: sakedge.Student) -> Golden:
    return Golden.read(images, student.manifest)


@pytest.fixture(scope="session")
def shipped(student: sakedge.Student) -> Snapshot:
    return student.adapters.snapshot()


@pytest.fixture(scope="session")
def worse(student: sakedge.Student, tiny_student: Path) -> Snapshot:
    """With as much noise in the weights of `sam` as there is weight."""
    return having(student, changed(adapter(tiny_student, "sam"), noisy(1.0)), "sam")


def write_images(root: Path, student: sakedge.Student, count: int, seed: int = 11) -> None:
    """Images of blobs; their truth is what the student says of them."""
    rng = np.random.default_rng(seed)
    for part in ("images", *TASKS):
        (root / part).mkdir(parents=True)
    for i in range(count):
        coarse = rng.integers(0, 256, (4, 6, 3), np.uint8)
        picture = np.asarray(Image.fromarray(coarse).resize((SIZE[1], SIZE[0])))
        Image.fromarray(picture).save(root / "images" / f"{i:02}.png")
        result = student(picture)
        np.save(root / "defects" / f"{i:02}.npy", result["defects"].values)
        np.save(root / "sal" / f"{i:02}.npy", result["sal"].values > 0.5)
        height = np.abs(result["height"].values) + 0.1
        np.save(root / "height" / f"{i:02}.npy", height.astype(np.float32))
