"""Where a student's graph is cut: the stem alone, or all that some tasks need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sakedge.format.student.manifest import Manifest


@dataclass(frozen=True)
class Cut:
    """A part of a student's graph.

    Attributes:
        name: For messages, e.g. `stem`.
        components: Components of the file that hold its weights.
        outputs: The values to cut at, each with its shape after the batch.
    """

    name: str
    components: tuple[str, ...]
    outputs: Mapping[str, tuple[int, ...]]


def stem_cut(manifest: Manifest) -> Cut:
    """The stem: outputs `x0` … `xD`, each [batch, 1 + L, C]."""
    tokens = 1 + manifest.grid[0] * manifest.grid[1]
    shape = (tokens, manifest.architecture.width)
    outputs = {f"x{i}": shape for i in range(manifest.architecture.blocks + 1)}
    return Cut("stem", ("stem",), outputs)


def whole_cut(manifest: Manifest, tasks: Sequence[str]) -> Cut:
    """Everything that some tasks need, up to their maps at a quarter of the input's size.

    Outputs are the map `heads.<task>.last`, [batch, classes, H/4, W/4], for each task, then,
    unless the student has no routers, the weights `routing.<level>.<task>`, [batch, 1, 1 + T],
    level by level.
    """
    routed = tasks if manifest.architecture.is_routed else ()
    classes = {task.name: task.classes for task in manifest.tasks}
    height, width = manifest.input_size
    outputs: dict[str, tuple[int, ...]] = {
        f"heads.{task}.last": (classes[task], height // 4, width // 4) for task in tasks
    }
    experts = 1 + len(manifest.adapters)
    outputs |= {
        f"routing.{level}.{task}": (1, experts) for level in manifest.levels for task in routed
    }
    adapters = (f"adapters.{name}" for name in manifest.adapter_names)
    routers = (f"routers.{task}" for task in routed)
    heads = (f"heads.{task}" for task in tasks)
    return Cut("student", ("stem", *adapters, *routers, *heads), outputs)
