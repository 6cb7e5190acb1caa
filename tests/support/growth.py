"""Packs of teachers that the tiny student has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sakedge.format import PartPack, StudentFile, extract_part
from sakedge.format.digest import component_digest
from sakedge.format.layout import router_shapes


def carbon_pack(
    student: Path, tasks: Sequence[str], *, name: str = "carbon", factor: float = -2.0
) -> PartPack:
    """A pack whose path is that of `sam`, scaled, with random columns for the routers of tasks."""
    with StudentFile.open(student) as file:
        sam = extract_part(file, "adapters.sam", version="1")
    rng = np.random.default_rng(len(name))
    width = sam.manifest.architecture.width
    tensors: dict[str, Any] = {
        key.replace("sam", name): tensor * np.float32(factor)
        if key.startswith("norms.")
        else tensor
        for key, tensor in sam.tensors.items()
    }
    for task in tasks:
        for level in sam.manifest.levels:
            gate = f"mor.{level}.{task}.gate"
            tensors[f"{gate}.weight"] = rng.normal(0, 0.3, (width // 2, 1)).astype(np.float32)
            tensors[f"{gate}.bias"] = rng.normal(0, 1, 1).astype(np.float32)
    return _pack(sam, tensors, name=name, teacher=f"the {name} net", routed_tasks=tuple(tasks))


def retrained(pack: PartPack, student: Path, task: str) -> PartPack:
    """The pack with whole routers for a task, over all of the student's adapters and its own."""
    manifest = pack.manifest
    with StudentFile.open(student) as file:
        experts = (*file.manifest.adapter_names, manifest.name)
    rng = np.random.default_rng(7)
    shapes = router_shapes(manifest.architecture, manifest.levels, task, 1 + len(experts))
    routers = {k: rng.normal(0, 0.3, shape).astype(np.float32) for k, shape in shapes.items()}
    own = {k: v for k, v in pack.tensors.items() if not k.startswith("mor.")}
    return _pack(
        pack,
        {**own, **routers},
        routed_tasks=(),
        retrained_tasks=(task,),
        experts=experts,
        requires=("routers",),
    )


def router_tensors(pack: PartPack, task: str) -> Mapping[str, Any]:
    """What the pack has of a task's router."""
    return {k: v for k, v in pack.tensors.items() if f".{task}." in k and k.startswith("mor.")}


def _pack(pack: PartPack, tensors: dict[str, Any], **changes: Any) -> PartPack:
    changes["digest"] = component_digest(tensors)
    return PartPack(pack.manifest.model_copy(update=changes), tensors)
