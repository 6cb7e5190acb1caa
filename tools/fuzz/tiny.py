"""A student of a task of each kind, as small as they come, whose weights are made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sakedge.format import (
    AdapterInfo,
    Architecture,
    Manifest,
    Provenance,
    Storage,
    write_student,
)
from sakedge.format.layout import component_shapes
from sakedge.tasks import TaskInfo

_TASKS = (
    TaskInfo(name="defects", kind="labels", classes=3, labels=("ok", "scratch", "dent")),
    TaskInfo(name="edge", kind="probability", classes=1),
    TaskInfo(name="sal", kind="two_class", classes=2),
    TaskInfo(name="normals", kind="normals", classes=3),
    TaskInfo(name="height", kind="scalar", classes=1, unit="mm"),
)


def write_tiny(path: Path, *, external: bool = False, seed: int = 0) -> None:
    """Writes it: width 16, 3 blocks, input 64 x 96, adapters sam and dino."""
    manifest = Manifest.without_digests(
        architecture=Architecture(width=16, blocks=3, heads=2, patch=16, mlp=24, router="mor"),
        input_size=(64, 96),
        levels=(0, 2),
        tasks=_TASKS,
        adapters=tuple(
            AdapterInfo(name=name, teacher=name, hidden=hidden)
            for name, hidden in (("sam", 6), ("dino", 4))
        ),
        storage=Storage.uniform("fp32"),
        provenance=Provenance(tool="fuzz"),
    )
    rng = np.random.default_rng(seed)
    components = {
        component: {
            name: (0.2 * rng.standard_normal(shape)).astype(np.float32)
            for name, shape in shapes.items()
        }
        for component, shapes in component_shapes(manifest).items()
    }
    write_student(path, manifest, components, external=external)
