"""What a conversion found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sakedge.format import Manifest

# BatchNorm's statistics are entries, but no parameters.
_BUFFERS = ("running_mean", "running_var", "num_batches_tracked")
_PARTS = {
    "stem": "backbone.vit.",
    "adapters": "backbone.tsap.",
    "norms": "backbone.out_norms.",
    "routers": "backbone.mor.",
    "heads": "heads.",
}


@dataclass(frozen=True)
class Report:
    """What was found in a checkpoint and what became of it.

    Attributes:
        path: The student written.
        bytes: Its size, with its external data if it has any.
        manifest: Its manifest.
        entries: Entries of the state dict without aligners, as the training saved it.
        parameters: Trained parameters of `stem`, `adapters`, `norms`, `routers`, `heads`, as in
            the checkpoint (the routers with their noise rows); their sum is `total`.
        notes: What was dropped, merged or changed on the way, one sentence each.
    """

    path: Path
    bytes: int
    manifest: Manifest
    entries: int
    parameters: Mapping[str, int]
    notes: tuple[str, ...]

    @property
    def total(self) -> int:
        """All parameters."""
        return sum(self.parameters.values())


def count_parameters(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """Parameters per part of an official state dict."""
    return {
        part: sum(
            math.prod(shape)
            for name, shape in shapes.items()
            if name.startswith(prefix) and not name.endswith(_BUFFERS)
        )
        for part, prefix in _PARTS.items()
    }
