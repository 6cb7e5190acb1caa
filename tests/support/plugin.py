"""A third party's package with a backend."""

from __future__ import annotations

from pathlib import Path

from sakedge.backends import registry


def install(folder: Path, name: str, place: str) -> Path:
    """Writes the package's metadata, whose entry point is `module:class`; returns the folder."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{name} = {place}\n")
    return folder
