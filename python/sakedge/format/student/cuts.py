"""Where a student's graph is cut."""

from __future__ import annotations

from collections.abc import Mapping
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
