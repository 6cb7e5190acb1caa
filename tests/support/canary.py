"""Packs, and a student's snapshots with them, for the canary."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sakedge
from sakedge.adapters.packs import pack_source
from sakedge.adapters.snapshot import Part, Snapshot
from sakedge.canary import Runner
from sakedge.format import PartPack, StudentFile, extract_part
from sakedge.format.digest import component_digest
from sakedge.images import read
from sakedge.runtime.calls import BegunCall
from sakedge.runtime.model import silent

Tensors = Mapping[str, NDArray[Any]]


def runner(student: sakedge.Student) -> Runner:
    """Runs an image with several snapshots of a student."""

    def run(image: Any, snapshots: Any, tasks: Any) -> list[sakedge.Result]:
        narrowed = [each.narrowed(each.active, tuple(tasks)) for each in snapshots]
        call = BegunCall(
            student._running(),
            student.manifest.levels,
            narrowed,
            student.manifest.preprocess.fit,
            False,
            silent,
            student._quality,
        )
        return call.run([read(image)] * len(snapshots))

    return run


def adapter(student: Path, name: str) -> PartPack:
    """An adapter of a student's file as a pack."""
    with StudentFile.open(student) as file:
        return extract_part(file, f"adapters.{name}")


def changed(pack: PartPack, change: Callable[[Tensors], Tensors]) -> PartPack:
    """A pack with other tensors."""
    tensors = change(pack.tensors)
    digest = component_digest(tensors)
    return PartPack(pack.manifest.model_copy(update={"digest": digest}), tensors)


def having(student: sakedge.Student, pack: PartPack, slot: str) -> Snapshot:
    """What would run with a pack in a slot, assembled."""
    teacher = pack.manifest.teacher
    source = pack_source(pack, slot, student.manifest, teacher=teacher)
    model = student._running()
    snapshot = student.adapters.snapshot().having(Part(source.id, model.prepare(source)))
    return replace(snapshot, assembled=model.assemble(snapshot))


def noisy(share: float) -> Callable[[Tensors], Tensors]:
    """Adds noise to weights, as a share of their own spread; repeatable."""

    def change(tensors: Tensors) -> Tensors:
        rng = np.random.default_rng(0)
        return {
            key: (each + rng.normal(0, share * each.std(), each.shape)).astype(each.dtype)
            for key, each in tensors.items()
        }

    return change


def random(tensors: Tensors) -> Tensors:
    """Weights of the same mean and spread, and no meaning."""
    rng = np.random.default_rng(0)
    return {
        key: rng.normal(each.mean(), each.std(), each.shape).astype(each.dtype)
        for key, each in tensors.items()
    }


def shuffled(tensors: Tensors) -> Tensors:
    """Each block's adapter is the next one's, as of a file put together in a wrong order."""
    blocks = sorted({int(key.split(".")[2]) for key in tensors if key.startswith("tsap.")})
    following = dict(zip(blocks, [*blocks[1:], blocks[0]], strict=True))

    def source(key: str) -> str:
        parts = key.split(".")
        if parts[0] == "tsap":
            parts[2] = str(following[int(parts[2])])
        return ".".join(parts)

    found = {key: tensors[source(key)] for key in tensors}
    return {
        key: found[key] if found[key].shape == each.shape else each for key, each in tensors.items()
    }
