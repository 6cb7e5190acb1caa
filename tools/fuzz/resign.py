"""Metadata of an update repository, edited and signed again as a thief of its keys could."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from securesystemslib.formats import encode_canonical

from sakedge.trust.keys import PrivateKey

Fields = dict[str, Any]
_ABOVE = {"targets": "snapshot", "snapshot": "timestamp"}


def metadata_path(repository: Path, role: str) -> Path:
    """The newest metadata of a role."""
    if role == "timestamp":
        return repository / "metadata" / "timestamp.json"
    found = (repository / "metadata").glob(f"*.{role}.json")
    return max(found, key=lambda path: int(path.name.split(".")[0]))


def resign(repository: Path, keys: Path, role: str, edit: Callable[[Fields], object]) -> None:
    """Edits what a role signs, and signs that and all that names it anew.

    Args:
        repository: The repository's folder.
        keys: The folder of its keys.
        role: Whose metadata are edited.
        edit: Changes them, into anything that JSON can express.
    """
    path = metadata_path(repository, role)
    fields = json.loads(path.read_text())
    edit(fields["signed"])
    key = PrivateKey.read(next(keys.glob(f"{role}-*.key")))
    try:
        signature = key.sign(encode_canonical(fields["signed"]).encode())
    except Exception:  # what canonical JSON cannot express cannot be signed either
        signature = b""
    fields["signatures"] = [{"keyid": key.keyid, "sig": signature.hex()}]
    path.write_text(json.dumps(fields))
    content = path.read_bytes()
    if role in _ABOVE:
        digest = {"length": len(content), "hashes": {"sha256": hashlib.sha256(content).hexdigest()}}
        resign(
            *(repository, keys, _ABOVE[role]),
            lambda outer: outer["meta"][f"{role}.json"].update(digest),
        )
