"""The students that are measured: random weights in the sizes of the paper.

A time does not depend on what the weights are, only the outputs do. All students of one size are
drawn from one seed and share their stem to the bit, whatever their adapters and tasks.
"""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tools.checkpoint import make_checkpoint

from sakedge.convert import convert
from sakedge.files.atomic import make_folder

FOLDER = Path("build/bench")
DEMO = Path("tools/demo_student/student.onnx")
"""The demo student in floats, of which the shipped one was quantised."""

ADAPTERS = ("dinov2", "clip", "sam", "site-a", "site-b", "site-c")
PASCAL: tuple[dict[str, Any], ...] = (
    {"name": "semseg", "kind": "labels", "classes": 21},
    {"name": "human_parts", "kind": "labels", "classes": 7},
    {"name": "sal", "kind": "two_class", "classes": 2},
    {"name": "normals", "kind": "normals", "classes": 3},
    {"name": "edge", "kind": "probability", "classes": 1},
)
NYUD: tuple[dict[str, Any], ...] = (
    {"name": "semseg", "kind": "labels", "classes": 40},
    {"name": "depth", "kind": "scalar", "classes": 1, "unit": "m"},
    {"name": "normals", "kind": "normals", "classes": 3},
    {"name": "edge", "kind": "probability", "classes": 1},
)
FURTHER: tuple[dict[str, Any], ...] = (
    {"name": "defects", "kind": "labels", "classes": 4},
    {"name": "height", "kind": "scalar", "classes": 1, "unit": "mm"},
    {"name": "seam", "kind": "probability", "classes": 1},
)
"""A site's own tasks, for eight in all."""


@dataclass(frozen=True)
class Spec:
    """One student.

    Attributes:
        vit: As for `make_checkpoint`; None is the demo student.
        size: Height and width.
        adapters: How many.
        tasks: Which.
        quick: Whether it is a tiny stand-in for a first try of the whole tool.
    """

    vit: str | None
    size: tuple[int, int]
    adapters: int = 3
    tasks: tuple[dict[str, Any], ...] = PASCAL
    quick: bool = False

    @property
    def name(self) -> str:
        """Of its folder."""
        if self.vit is None:
            return "demo"
        height, width = self.size
        tasks = "nyud" if self.tasks == NYUD else f"{len(self.tasks)}tasks"
        quick = "-quick" if self.quick else ""
        return f"{self.vit}-{height}x{width}-{self.adapters}adapters-{tasks}{quick}"

    @property
    def folder(self) -> Path:
        """Where everything made of it goes."""
        return FOLDER / self.name

    def as_quick(self) -> "Spec":
        """A stand-in of an eighth of the edge."""
        if self.vit is None:
            return self
        height, width = (max(32, side // 8 // 16 * 16) for side in self.size)
        return replace(self, size=(height, width), quick=True)


def student(spec: Spec) -> Path:
    """The student's file, made if missing."""
    if spec.vit is None:
        return DEMO
    path = spec.folder / "student.onnx"
    if path.exists():
        return path
    make_folder(spec.folder)
    draft = spec.folder / "draft"
    small: dict[str, Any] = {}
    if spec.quick:
        small = {"width": 96, "blocks": 4, "attention_heads": 3}
    checkpoint, config = make_checkpoint(
        draft,
        vit=spec.vit,
        input_size=spec.size,
        teachers=ADAPTERS[: spec.adapters],
        site_tasks=spec.tasks,
        **small,
    )
    convert(checkpoint, config, path)
    shutil.rmtree(draft)
    return path
