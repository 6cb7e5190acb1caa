"""One file of metadata: its bytes, parsed, and who signed them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sakedge.errors import MetadataError, RevokedError, SignatureError, shown
from sakedge.format.strict_json import loads
from sakedge.trust.library import needed
from sakedge.trust.tuf.names import Role
from sakedge.trust.tuf.times import from_text

if TYPE_CHECKING:
    from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

Signed = TypeVar("Signed", "Root", "Snapshot", "Targets", "Timestamp")

MOST_BYTES: dict[Role, int] = {
    "root": 512_000,
    "targets": 5_000_000,
    "snapshot": 2_000_000,
    "timestamp": 16_384,
}
"""Of a role's metadata; those of python-tuf's own client."""
MOST_KEYS = 1 << 14
"""Of one object in them. The largest are the targets by name."""
MOST_VERSION = 1 << 53
MOST_LENGTH = 1 << 34
"""Bytes of a target, which is read into memory."""
_SHA256 = re.compile(r"[0-9a-f]{64}")

BUILT = "x-sakedge-built"
"""Field of signed metadata: when they were signed. So much time has certainly passed."""
DAYS = "x-sakedge-days"
"""Field of signed metadata: for how many days they are signed each time."""


@dataclass(frozen=True)
class Document(Generic[Signed]):
    """Metadata of one role.

    Attributes:
        role: Whose.
        content: The file's bytes.
        metadata: The same, parsed.
        built: When it was signed; None if its publisher does not say.
    """

    role: Role
    content: bytes
    metadata: Metadata[Signed]
    built: datetime | None

    @property
    def signed(self) -> Signed:
        """What is signed: the metadata themselves."""
        return self.metadata.signed

    @property
    def version(self) -> int:
        """Grows with each signing."""
        return self.metadata.signed.version

    @property
    def expires(self) -> datetime:
        """From then on they do not count any more."""
        return self.metadata.signed.expires

    @property
    def keyids(self) -> frozenset[str]:
        """Keys that are said to have signed. Nothing shows that they did, see `verify`."""
        return frozenset(self.metadata.signatures)


def read_document(role: Role, content: bytes, name: str) -> Document[Any]:
    """Parses metadata. Their signatures are not looked at yet, see `verify`.

    Args:
        role: Whose they must be.
        content: The file's bytes.
        name: The file's name, for errors.

    Raises:
        MetadataError: They are not such metadata.
    """
    with needed("reading an update repository"):
        from tuf.api.metadata import Metadata
        from tuf.api.serialization import SerializationError
    try:
        fields = loads(content, most_bytes=MOST_BYTES[role], most_keys=MOST_KEYS)
        metadata: Metadata[Any] = Metadata.from_dict(fields)
        if metadata.signed.type != role:
            raise ValueError(f"they are those of the role {shown(metadata.signed.type)}")
        _check_version(metadata.signed.version)
        _check_texts(metadata.signatures)
        _check_texts(each.signature for each in metadata.signatures.values())
        _CHECKS[role](metadata.signed)
        _ = metadata.signed_bytes  # canonical JSON has no fractions
        built = metadata.signed.unrecognized_fields.get(BUILT)
        return Document(role, content, metadata, None if built is None else from_text(built))
    # What python-tuf 6 and 7 raise for fields of another kind; it checks them as it goes.
    except (ValueError, KeyError, TypeError, AttributeError, SerializationError) as error:
        raise MetadataError(
            f"{name} is no metadata of the role {role}: {_reason(error)}",
            remedy="Copy the repository again, all of it",
        ) from error


def verify(document: Document[Any], by: Document[Root], revoked: Set[str] = frozenset()) -> None:
    """Checks that so many keys as a root asks for have signed metadata.

    Args:
        document: The metadata.
        by: The root that says whose signatures count.
        revoked: Ids of keys that an earlier root named and this one does not.

    Raises:
        RevokedError: Too few have, and one that was revoked is said to have.
        SignatureError: Too few have.
    """
    found = by.signed.get_verification_result(
        document.role, document.metadata.signed_bytes, document.metadata.signatures
    )
    if found:
        return
    what = f"version {document.version} of the {document.role} metadata"
    old = sorted(document.keyids & revoked)
    if old:
        raise RevokedError(
            f"{what} is signed with key {old[0][:16]}…, which was revoked",
            expected=f"a signature that root version {by.version} asks for",
            remedy="Copy the repository again, all of it; if it is the newest, run `sakedge repo "
            "refresh` where it is published",
        )
    raise SignatureError(
        f"{what} is not signed by those whom root version {by.version} trusts",
        expected=f"{found.threshold} of the keys {_short(by.signed.roles[document.role].keyids)}",
        got=f"{len(found.signed)}; it names {_short(document.keyids)}",
        remedy="Copy the repository again, all of it; trust it no more if that does not help",
    )


def is_verified(document: Document[Any] | None, by: Document[Root]) -> bool:
    """Whether there is metadata that a root's keys have signed."""
    if document is None:
        return False
    try:
        verify(document, by)
    except SignatureError:
        return False
    return True


def _short(keyids: Any) -> str:
    return ", ".join(f"{keyid[:16]}…" for keyid in sorted(keyids)[:4]) or "none"


def _reason(error: Exception) -> str:
    return f"{shown(error.args[0])} is missing" if isinstance(error, KeyError) else str(error)


def _check_version(version: Any) -> None:
    if not isinstance(version, int) or isinstance(version, bool) or version > MOST_VERSION:
        raise ValueError(f"{shown(version)} is no version")


def _check_texts(values: Iterable[Any]) -> None:
    for value in values:
        if not isinstance(value, str):
            raise ValueError(f"{shown(value)} is no text")


def _check_root(root: Root) -> None:
    if root.consistent_snapshot is not True:
        raise ValueError("consistent snapshots are needed, so that no two times are mixed")
    for keyid, key in root.keys.items():
        if (key.keytype, key.scheme) != ("ed25519", "ed25519"):
            raise ValueError(f"key {keyid[:16]}… is no Ed25519 key")
    for role in root.roles.values():
        _check_version(role.threshold)
        _check_texts(role.keyids)


def _check_timestamp(timestamp: Timestamp) -> None:
    _check_version(timestamp.snapshot_meta.version)


def _check_snapshot(snapshot: Snapshot) -> None:
    for meta in snapshot.meta.values():
        _check_version(meta.version)
    _ = snapshot.meta["targets.json"]


def _check_targets(targets: Targets) -> None:
    for target in targets.targets.values():
        if not isinstance(target.length, int) or target.length > MOST_LENGTH:
            raise ValueError(f"target {shown(target.path)} has the length {shown(target.length)}")
        if not _SHA256.fullmatch(target.hashes.get("sha256", "")):  # it is part of a path
            raise ValueError(f"target {shown(target.path)} has no SHA-256")
        if not isinstance(target.unrecognized_fields.get("custom", {}), dict):
            raise ValueError(f"what is said of target {shown(target.path)} is no object")


_CHECKS: dict[Role, Any] = {
    "root": _check_root,
    "timestamp": _check_timestamp,
    "snapshot": _check_snapshot,
    "targets": _check_targets,
}
