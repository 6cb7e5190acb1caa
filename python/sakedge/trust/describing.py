"""What is said of a file beside its digest, read from the file itself.

It is for people and lists. Nothing is decided by it that does not stand in the file too.
"""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sakedge import __version__
from sakedge.files.mapped import MappedFile
from sakedge.format import StudentFile, read_pack
from sakedge.trust.encryption import is_encrypted


def describe(path: Path) -> dict[str, Any]:
    """Kind of a file, and what a pack or a student states of itself.

    Raises:
        StorageError: It cannot be read.
        FileFormatError: It has the suffix of a pack or a student and is none that can be used.
    """
    file = MappedFile(path)
    encrypted = is_encrypted(file.data)
    file.close()
    if encrypted:
        return {"kind": "encrypted"}
    if path.suffix == ".safetensors":
        part = read_pack(path).manifest
        return _stated(
            kind="pack",
            part=part.kind,
            name=part.name,
            version=part.version or None,
            teacher=part.teacher,
            license=part.license,
            stem_lineage=part.stem_lineage,
        )
    if path.suffix == ".onnx":
        with StudentFile.open(path) as student:
            return _stated(
                kind="student",
                content_digest=student.content_digest,
                license=student.manifest.provenance.license,
                stem_lineage=student.manifest.stem_lineage,
            )
    return {"kind": "delta" if path.suffix == ".sakdelta" else "file"}


def predicate(path: Path) -> dict[str, Any]:
    """The same, with what made the signature and when."""
    now = datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {**describe(path), "tool": f"sakedge {__version__}", "created": now}


def _stated(**fields: str | None) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
