"""Students with planted outliers: what they compute is what it was, and int8 cannot hold it.

Large vision transformers have a few channels whose values are a hundred times those of the others,
in a few tokens. A small student has none, so they are planted and compensated in the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.format import Manifest, Storage, StudentFile, write_student
from sakedge.format.student.int8 import as_floats
from sakedge.quantizing.calibration import observe
from sakedge.quantizing.inputs import Images
from sakedge.quantizing.observing import Observer

FACTOR = 100.0
CHANNELS = 3
"""Of each layer's input."""

Tensors = dict[str, NDArray[Any]]


def plant(
    source: Path,
    target: Path,
    images: Sequence[NDArray[Any]],
    *,
    tasks: Sequence[str],
    unsmoothable: Sequence[int] = (),
) -> Path:
    """Writes a student with outliers in the inputs of qkv, proj and fc1 of every block.

    They are channels whose largest values are in the fewest tokens, as far as can be seen on some
    images, multiplied by `FACTOR`; the weights that use them are divided by it.

    Args:
        source: The student.
        target: The file to write, in float32.
        images: Some images.
        tasks: Tasks to keep.
        unsmoothable: Blocks in which the input of fc2 gets an outlier too, which no smoothing can
            move.
    """
    with StudentFile.open(source) as file:
        components: dict[str, Tensors] = {
            name: {k: np.array(v, np.float32) for k, v in as_floats(file.component(name)).items()}
            for name in file.manifest.components
        }
        manifest = _in_floats(file.manifest, tasks)
    write_student(target, manifest, components)
    with StudentFile.open(target) as file:
        seen = observe(file, Images(images, None), threads=2, progress=lambda step, share: None)
    stem = components["stem"]
    for i in range(manifest.architecture.blocks):
        block = f"stem.blocks.{i}"
        _plant_after_norm(stem, f"{block}.norm1", f"{block}.attn.qkv", seen)
        _plant_after_norm(stem, f"{block}.norm2", f"{block}.mlp.fc1", seen)
        _plant_in_values(stem, block, seen)
        if i in unsmoothable:
            _plant_in_hidden(stem, block, seen)
    write_student(target, manifest, components)
    return target


def _in_floats(manifest: Manifest, tasks: Sequence[str]) -> Manifest:
    given = ("digests", "stem_lineage", "requires", "quality")
    parts = {name: each for name, each in manifest if name not in given}
    parts["tasks"] = tuple(task for task in manifest.tasks if task.name in tasks)
    return Manifest.without_digests(**{**parts, "storage": Storage.uniform("fp32")})


def _plant_after_norm(stem: Tensors, norm: str, layer: str, seen: dict[str, Observer]) -> None:
    channels = _rarest(seen[layer])
    for part in ("weight", "bias"):
        stem[f"{norm}.{part}"][channels] *= FACTOR
    stem[f"{layer}.weight"][channels] /= FACTOR


def _plant_in_values(stem: Tensors, block: str, seen: dict[str, Observer]) -> None:
    """Attention passes each channel of the values on by itself, to proj."""
    channels = _rarest(seen[f"{block}.attn.proj"])
    width = len(stem[f"{block}.attn.proj.weight"])
    stem[f"{block}.attn.qkv.weight"][:, 2 * width + channels] *= FACTOR
    stem[f"{block}.attn.qkv.bias"][2 * width + channels] *= FACTOR
    stem[f"{block}.attn.proj.weight"][channels] /= FACTOR


def _plant_in_hidden(stem: Tensors, block: str, seen: dict[str, Observer]) -> None:
    """The hidden unit that matters least is taken out of the output and then made large.

    What it did is the one thing that is not compensated, for GELU is not linear.
    """
    layer = f"{block}.mlp.fc2"
    weight = stem[f"{layer}.weight"]
    share = seen[layer].high * np.abs(weight).max(axis=1)
    unit = int(np.argmin(np.where(seen[layer].high > 0.1, share, np.inf)))
    grown = FACTOR * seen[layer].high.max() / seen[layer].high[unit]
    stem[f"{block}.mlp.fc1.weight"][:, unit] *= grown
    stem[f"{block}.mlp.fc1.bias"][unit] *= grown
    weight[unit] = 0


def _rarest(seen: Observer) -> NDArray[np.intp]:
    """Channels whose values are the most concentrated in few tokens: of the largest kurtosis."""
    rows, counts = seen.sample
    second = np.square(rows).T @ counts / counts.sum()
    fourth = np.square(np.square(rows)).T @ counts / counts.sum()
    return np.argsort(fourth / np.maximum(np.square(second), 1e-12))[-CHANNELS:]
