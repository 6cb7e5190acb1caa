"""The memory of a device in a folder: one file, replaced as a whole, so that no cut tears it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from sakedge.errors import MetadataError, StorageError
from sakedge.files.atomic import atomic_write
from sakedge.files.bounded import read_bounded
from sakedge.format.schema import Digest, first_problem
from sakedge.format.strict_json import loads
from sakedge.text import to_json
from sakedge.trust.tuf.documents import MOST_BYTES, Document, read_document, verify
from sakedge.trust.tuf.names import Role
from sakedge.trust.tuf.times import from_text, to_text
from sakedge.trust.tuf.trusted import MetadataSet, Trusted

FILE = "trusted.json"
MOST = 6 * sum(MOST_BYTES.values()) + (1 << 20)
"""Bytes of it. A character of metadata takes six at most."""
_FORGET = "Restore it; or remove it, and with it the memory of what was newest, and start anew"


class _Set(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    timestamp: str
    snapshot: str
    targets: str


class _Fields(BaseModel):
    """Metadata are kept as text, byte for byte: that is what signatures and digests are over."""

    model_config = ConfigDict(extra="forbid", strict=True)
    format_version: Literal[1]
    anchor: Digest
    seen: str
    revoked: list[str]
    root: str
    current: _Set | None


def read_state(folder: Path, anchor: Trusted) -> Trusted:
    """Reads what was kept; where nothing was, what was provisioned.

    Args:
        folder: Where it is kept.
        anchor: From the root that was provisioned.

    Raises:
        MetadataError: The file is damaged, or began with another root.
        SignatureError: What it holds as the newest root is none.
        StorageError: It cannot be read.
    """
    path = folder / FILE
    try:
        content = read_bounded(path, MOST, MetadataError)
    except StorageError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return anchor
        raise
    try:
        fields = _Fields.model_validate(loads(content, most_bytes=MOST, most_keys=64))
        seen = from_text(fields.seen)
    except ValueError as error:  # pydantic's are of this type too
        raise MetadataError(
            f"{path} is damaged: {_reason(error)}", expected="what was kept here", remedy=_FORGET
        ) from error
    if fields.anchor != anchor.anchor:
        raise MetadataError(
            f"{path} was begun with another root of trust",
            expected=f"a root.json with SHA-256 {fields.anchor}",
            got=anchor.anchor,
            remedy="Put that root.json back; or, if the new one is meant, remove the file",
        )
    root: Document[Any] = _kept("root", fields.root)
    verify(root, root)
    current = None
    if fields.current is not None:
        kept = fields.current
        current = MetadataSet(
            _kept("timestamp", kept.timestamp),
            _kept("snapshot", kept.snapshot),
            _kept("targets", kept.targets),
        )
    return Trusted(anchor.anchor, root, frozenset(fields.revoked), seen, current)


def write_state(folder: Path, trusted: Trusted) -> None:
    """Keeps what is trusted; a power cut leaves the old or the new.

    Raises:
        StorageError: It cannot be written.
    """
    current = trusted.current
    fields = {
        "format_version": 1,
        "anchor": trusted.anchor,
        "seen": to_text(trusted.seen),
        "revoked": sorted(trusted.revoked),
        "root": trusted.root.content.decode(),
        "current": current
        and {document.role: document.content.decode() for document in current.documents},
    }
    with atomic_write(folder / FILE) as file:
        file.write(to_json(fields, indent=1).encode())


def _kept(role: Role, text: str) -> Document[Any]:
    return read_document(role, text.encode(), f"the {role} metadata kept in {FILE}")


def _reason(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        return first_problem(error)
    return str(error)
