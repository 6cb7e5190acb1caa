"""Small random students: a manifest, tensors and stem outputs, from a seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.format import AdapterInfo, Architecture, Manifest, Provenance, Storage
from sakedge.tasks import TaskInfo

Tensors = dict[str, NDArray[Any]]

FIVE_KINDS: tuple[tuple[str, str, int], ...] = (
    ("semseg", "labels", 5),
    ("edge", "probability", 1),
    ("sal", "two_class", 2),
    ("normals", "normals", 3),
    ("depth", "scalar", 1),
)


@dataclass
class Spec:
    """Sizes; every one may be awkward."""

    width: int = 24
    blocks: int = 4
    levels: tuple[int, ...] = (0, 2, 3)
    grid: tuple[int, int] = (3, 5)
    patch: int = 16
    adapters: dict[str, int] = field(default_factory=lambda: {"a": 6, "b": 9, "c": 1})
    tasks: tuple[tuple[str, str, int], ...] = FIVE_KINDS
    router: str = "mor"
    hidden: int = 11
    reduced: int = 5
    fused: int = 70  # more than one chunk
    seed: int = 0


@dataclass
class RandomStudent:
    manifest: Manifest
    routers: dict[str, Tensors]
    heads: dict[str, Tensors]
    adapters: dict[str, Tensors]
    spec: Spec

    def features(self, batch: int = 1, seed: int = 1) -> list[NDArray[np.float32]]:
        rng = np.random.default_rng(seed)
        shape = (batch, 1 + self.spec.grid[0] * self.spec.grid[1], self.spec.width)
        maps = range(self.spec.blocks + 1)
        return [rng.standard_normal(shape, np.float32) for _ in maps]


def make_student(spec: Spec) -> RandomStudent:
    rng = np.random.default_rng(spec.seed)
    c = spec.width

    def linear(name: str, rows: int, columns: int) -> Tensors:
        scale = np.float32(1 / np.sqrt(rows))
        return {
            f"{name}.weight": rng.standard_normal((rows, columns), np.float32) * scale,
            f"{name}.bias": rng.standard_normal(columns, np.float32) * np.float32(0.1),
        }

    def norm(name: str, channels: int) -> Tensors:
        return {
            f"{name}.weight": 1 + rng.standard_normal(channels, np.float32) * np.float32(0.2),
            f"{name}.bias": rng.standard_normal(channels, np.float32) * np.float32(0.2),
        }

    def conv(name: str, shape: tuple[int, int, int, int]) -> Tensors:
        scale = np.float32(1 / np.sqrt(np.prod(shape[1:])))
        return {
            f"{name}.weight": rng.standard_normal(shape, np.float32) * scale,
            f"{name}.bias": rng.standard_normal(shape[0], np.float32) * np.float32(0.1),
        }

    adapters: dict[str, Tensors] = {}
    for name, hidden in spec.adapters.items():
        tensors: Tensors = {}
        for i in range(spec.blocks + 1):
            tensors |= linear(f"tsap.{name}.{i}.down", c, hidden)
            tensors |= linear(f"tsap.{name}.{i}.up", hidden, c)
        for level in spec.levels:
            tensors |= norm(f"norms.{level}.{name}", c)
        adapters[name] = tensors
    routers: dict[str, Tensors] = {}
    heads: dict[str, Tensors] = {}
    for task, _, classes in spec.tasks:
        if spec.router == "mor":
            router: Tensors = {}
            for level in spec.levels:
                router |= linear(f"mor.{level}.{task}.hidden", c, spec.hidden)
                router |= norm(f"mor.{level}.{task}.norm", spec.hidden)
                router |= linear(f"mor.{level}.{task}.gate", spec.hidden, 1 + len(adapters))
            routers[task] = router
        head: Tensors = {}
        for j in range(len(spec.levels)):
            head |= linear(f"heads.{task}.linears.{j}", c, spec.reduced)
        fused_inputs = spec.reduced * len(spec.levels)
        head |= conv(f"heads.{task}.fuse", (spec.fused, fused_inputs, 3, 3))
        head |= conv(f"heads.{task}.last", (classes, spec.fused, 1, 1))
        heads[task] = head
    return RandomStudent(_manifest(spec), routers, heads, adapters, spec)


def _manifest(spec: Spec) -> Manifest:
    routed = [f"routers.{task}" for task, _, _ in spec.tasks] if spec.router == "mor" else []
    components = [
        "stem",
        *(f"adapters.{name}" for name in spec.adapters),
        *routed,
        *(f"heads.{task}" for task, _, _ in spec.tasks),
    ]
    return Manifest(
        architecture=Architecture(
            width=spec.width,
            blocks=spec.blocks,
            heads=1,
            patch=spec.patch,
            mlp=4 * spec.width,
            router=spec.router,
        ),
        input_size=(spec.grid[0] * spec.patch, spec.grid[1] * spec.patch),
        levels=spec.levels,
        tasks=tuple(TaskInfo(name=n, kind=k, classes=c) for n, k, c in spec.tasks),
        adapters=tuple(
            AdapterInfo(name=name, teacher=name, hidden=hidden)
            for name, hidden in spec.adapters.items()
        ),
        storage=Storage.uniform("fp32"),
        provenance=Provenance(tool="test"),
        stem_lineage="0" * 64,
        digests=dict.fromkeys(components, "0" * 64),
    )
