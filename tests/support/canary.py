"""Packs, and a student's snapshots with them, for the canary."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sakedge
from sakedge.adapters.snapshot import Snapshot
from sakedge.canary.judge import Runner
from sakedge.format import PartPack, StudentFile, extract_part, write_pack

Tensors = Mapping[str, NDArray[Any]]


def runner(student: sakedge.Student) -> Runner:
    """Runs an image with several snapshots of a student."""
    return student._run_each


def adapter(student: Path, name: str) -> PartPack:
    """An adapter of a student's file as a pack in floats."""
    with StudentFile.open(student) as file:
        return extract_part(file, f"adapters.{name}", storage="fp32")


def changed(pack: PartPack, change: Callable[[Tensors], Tensors]) -> PartPack:
    """A pack with other tensors, to be written."""
    return PartPack(pack.manifest, change(pack.tensors))


def having(student: sakedge.Student, pack: PartPack, slot: str) -> Snapshot:
    """What would run with a pack in a slot; the student is left as it was."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "adapter.safetensors"
        write_pack(path, pack.manifest, pack.tensors)
        student.adapters.swap(slot, path, teacher=pack.manifest.teacher)
    found = student.adapters.snapshot()
    student.adapters.rollback(slot)
    return found


def lacking(student: sakedge.Student, slot: str) -> Snapshot:
    """What would run with an empty slot; the student is left as it was."""
    student.adapters.remove(slot)
    found = student.adapters.snapshot()
    student.adapters.rollback(slot)
    return found


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
