"""What the counts of docs/performance.md depend on: the sizes of a student and of a call."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sakedge.format import Manifest

HEAD_STRIDE = 4
"""Pixels of the input per pixel of a head's map."""
# Bytes of a pixel of each kind's values: csrc/cpu/kinds.def.
_VALUE_BYTES = {"labels": 1, "probability": 4, "two_class": 4, "normals": 12, "scalar": 4}


@dataclass(frozen=True)
class Geometry:
    """A student and a call of it. Importing this takes the standard library alone.

    Attributes:
        width: Channels of the stem, C.
        mlp: Hidden channels of its blocks.
        heads: Of its attention.
        grid: Rows and columns of patch tokens.
        levels: How many.
        hidden: Width of each adapter path.
        tasks: Kind and number of classes of each.
        routed: Whether it has routers.
        images: In one call; every image runs all adapters and tasks.
    """

    width: int
    blocks: int
    mlp: int
    heads: int
    grid: tuple[int, int]
    levels: int
    hidden: tuple[int, ...]
    tasks: tuple[tuple[str, int], ...]
    routed: bool = True
    patch: int = 16
    images: int = 1

    @classmethod
    def of(cls, manifest: Manifest, images: int = 1) -> Geometry:
        """That of a student."""
        arch = manifest.architecture
        return cls(
            width=arch.width,
            blocks=arch.blocks,
            mlp=arch.mlp,
            heads=arch.heads,
            grid=manifest.grid,
            levels=len(manifest.levels),
            hidden=tuple(adapter.hidden for adapter in manifest.adapters),
            tasks=tuple((task.kind, task.classes) for task in manifest.tasks),
            routed=arch.is_routed,
            patch=arch.patch,
            images=images,
        )

    @classmethod
    def read(cls, path: Path, images: int = 1) -> Geometry:
        """That of a student's file."""
        from sakedge.format import StudentFile

        with StudentFile.open(path) as file:
            return cls.of(file.manifest, images)

    def with_images(self, images: int) -> Geometry:
        """The same student in a call of so many images."""
        return replace(self, images=images)

    @property
    def patches(self) -> int:
        """Patch tokens of an image, L."""
        return self.grid[0] * self.grid[1]

    @property
    def pixels(self) -> int:
        """Of an image."""
        return self.patches * self.patch**2

    @property
    def map_pixels(self) -> int:
        """Of a head's map."""
        return self.patches * (self.patch // HEAD_STRIDE) ** 2

    @property
    def level_width(self) -> int:
        """Channels that a level gives a head."""
        return self.width // 4

    @property
    def joined(self) -> int:
        """Channels of a head's z."""
        return self.levels * self.level_width

    @property
    def classes(self) -> int:
        """Of all tasks."""
        return sum(classes for _, classes in self.tasks)

    @property
    def value_bytes(self) -> int:
        """Of a pixel's decoded values of all tasks."""
        return sum(_VALUE_BYTES[kind] for kind, _ in self.tasks)

    def __str__(self) -> str:
        rows, columns = (side * self.patch for side in self.grid)
        tasks, adapters = len(self.tasks), len(self.hidden)
        return (
            f"C = {self.width}, D = {self.blocks}, {rows}x{columns}, {adapters} adapters, "
            f"{tasks} tasks, batch {self.images}"
        )


_PASCAL = (("labels", 21), ("labels", 7), ("two_class", 2), ("normals", 3), ("probability", 1))
VIT_BASE = Geometry(
    width=768, blocks=12, mlp=3072, heads=12, grid=(32, 32), levels=4, hidden=(192,) * 3,
    tasks=_PASCAL,
)  # fmt: skip
"""The student of docs/algebra.md: ViT-B at 512x512, three adapters, five tasks."""
VIT_SMALL = replace(VIT_BASE, width=384, mlp=1536, heads=6, hidden=(96,) * 3)
VIT_LARGE = replace(VIT_BASE, width=1024, blocks=24, mlp=4096, heads=16, hidden=(256,) * 3)
