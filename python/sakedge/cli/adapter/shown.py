"""What the verbs of `sakedge adapter` say of packs and deltas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sakedge.cli.output import print_json, say

if TYPE_CHECKING:
    from sakedge.format import PartManifest
    from sakedge.format.delta import DeltaInfo


def written(path: Path, manifest: PartManifest, *, notes: Sequence[str] = (), json: bool) -> None:
    """Says which pack was written."""
    size = path.stat().st_size
    if json:
        found = manifest.model_dump(mode="json", exclude_none=True)
        print_json({"path": str(path), "bytes": size, "notes": list(notes), "manifest": found})
        return
    for note in notes:
        say(f"note: {note}")
    say(f"{path}: {manifest.kind} {manifest.name}, {manifest.storage}, {size / 1e6:.2f} MB")
    say(f"SHA-256 of its tensors {manifest.digest}")


def parameters(manifest: PartManifest) -> int:
    """Weights of a pack, without the scales of int8."""
    return sum(math.prod(shape) for shape in manifest.shapes().values())


def delta_facts(info: DeltaInfo) -> dict[str, Any]:
    """A delta, for a script."""
    return {
        "name": info.name,
        "old": info.old.model_dump(),
        "new": info.new.model_dump(),
        "tool": info.tool,
        "bytes": info.bytes,
        "share": info.share,
    }


def say_delta(path: Path, info: DeltaInfo) -> None:
    """Says what a delta does."""
    say(f"{path}: {_size(info.bytes)}, {info.share:.1%} of {info.name}")
    say(f"  from  SHA-256 {info.old.sha256}, {_size(info.old.bytes)}")
    say(f"  to    SHA-256 {info.new.sha256}, {_size(info.new.bytes)}")
    say(f"  made by {info.tool}")


def _size(length: int) -> str:
    return f"{length / 1e6:.2f} MB" if length >= 100_000 else f"{length} bytes"
