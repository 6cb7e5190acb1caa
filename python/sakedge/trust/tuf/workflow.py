"""How trust moves on: the client's workflow of the TUF specification, section 5, in its order.

Only what is verified is parsed further, and nothing is taken over that is older than what is there.
Of python-tuf the metadata and signatures are used and not its client: that one has no clock that
could be given, and brings an HTTP library. Both decide alike, which a test holds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sakedge.errors import MetadataError, ReplayError
from sakedge.trust.tuf.documents import Document, is_verified, read_document, verify
from sakedge.trust.tuf.folder import Folder
from sakedge.trust.tuf.names import Role, metadata_name
from sakedge.trust.tuf.targets import read_targets
from sakedge.trust.tuf.trusted import MetadataSet, Trusted

if TYPE_CHECKING:
    from tuf.api.metadata import MetaFile, Root, Snapshot, Timestamp

MOST_ROOTS = 256
"""Versions of the root that are gone through at once."""
_AGAIN = "Copy the repository again, all of it"


def follow_roots(trusted: Trusted, folder: Folder) -> Trusted:
    """Goes from the trusted root to the newest, each signed by the one before and by itself (5.3).

    Raises:
        MetadataError: A root is malformed.
        SignatureError: One is not signed as its predecessor asks.
        ReplayError: One has another version than its name.
    """
    for _ in range(MOST_ROOTS):
        version = trusted.root.version + 1
        if not folder.has_root(version):
            return trusted
        new: Document[Root] = _read(folder, "root", version)
        verify(new, trusted.root, trusted.revoked)
        verify(new, new)
        _check_version(new, version)
        revoked = trusted.revoked | (_keys(trusted.root) - _keys(new))
        trusted = replace(trusted, root=new, revoked=revoked - _keys(new))
    raise MetadataError(
        f"the repository has more than {MOST_ROOTS} new roots",
        remedy="Provision this machine with a newer root.json",
    )


def accept(trusted: Trusted, folder: Folder) -> Trusted:
    """Takes over the metadata of a repository, from timestamp to targets (5.4 to 5.6).

    What has expired is for the caller to check, see `Trusted.check_expiry`.

    Raises:
        MetadataError: Metadata are malformed or missing.
        UnsafePathError: A target's name could lead elsewhere.
        SignatureError: Metadata are not signed by the keys that the root names.
        RevokedError: They are signed with a key that was revoked.
        ReplayError: They are older than the ones trusted, or not of one time.
    """
    timestamp: Document[Timestamp] = _read(folder, "timestamp", 0)
    verify(timestamp, trusted.root, trusted.revoked)
    _check_timestamp(timestamp, trusted)

    snapshot: Document[Snapshot] = _named(folder, "snapshot", timestamp.signed.snapshot_meta)
    verify(snapshot, trusted.root, trusted.revoked)
    _check_snapshot(snapshot, trusted)

    targets = _named(folder, "targets", snapshot.signed.meta["targets.json"])
    verify(targets, trusted.root, trusted.revoked)
    read_targets(targets.signed)
    return replace(trusted, current=MetadataSet(timestamp, snapshot, targets))


def _read(folder: Folder, role: Role, version: int) -> Document[Any]:
    return read_document(role, folder.metadata(role, version), metadata_name(role, version))


def _named(folder: Folder, role: Role, meta: MetaFile) -> Document[Any]:
    """Metadata that other metadata name by version, and mostly by digest."""
    from tuf.api.exceptions import LengthOrHashMismatchError

    content, name = folder.metadata(role, meta.version), metadata_name(role, meta.version)
    try:
        meta.verify_length_and_hashes(content)
    except LengthOrHashMismatchError as error:
        raise ReplayError(
            f"{name} is damaged, or of another time than what names it", remedy=_AGAIN
        ) from error
    document = read_document(role, content, name)
    _check_version(document, meta.version)
    return document


def _check_version(document: Document[Any], version: int) -> None:
    if document.version != version:
        raise ReplayError(
            f"{metadata_name(document.role, version)} is of another time than its name",
            expected=f"version {version}",
            got=f"version {document.version}",
            remedy=_AGAIN,
        )


def _check_timestamp(new: Document[Timestamp], trusted: Trusted) -> None:
    """A timestamp whose key was revoked is no measure: whoever stole it may have counted far."""
    old = trusted.current.timestamp if trusted.current else None
    if old is None or not is_verified(old, trusted.root):
        return
    _check_not_older("timestamp", new.version, old.version)
    _check_not_older("snapshot", new.signed.snapshot_meta.version, old.signed.snapshot_meta.version)
    if new.version == old.version and new.content != old.content:
        raise ReplayError(
            f"there are two timestamps of version {new.version}",
            remedy="Publish from one folder only; `sakedge repo refresh` there, and copy it again",
        )
    if old.built and (new.built is None or new.built < old.built):
        raise ReplayError(
            f"version {new.version} of the timestamp is said to be signed before version "
            f"{old.version}",
            remedy="Set the publisher's clock right and run `sakedge repo rotate timestamp` there",
        )


def _check_snapshot(new: Document[Snapshot], trusted: Trusted) -> None:
    old = trusted.current.snapshot if trusted.current else None
    if old is None or not is_verified(old, trusted.root):
        return
    for file, meta in old.signed.meta.items():
        there = new.signed.meta.get(file)
        _check_not_older(file.removesuffix(".json"), there.version if there else 0, meta.version)


def _check_not_older(role: str, new: int, old: int) -> None:
    if new < old:
        raise ReplayError(
            f"the repository holds older {role} metadata than this machine has seen",
            expected=f"version {old} or newer",
            got=f"version {new}",
            remedy="Bring the newest copy of the repository",
        )


def _keys(root: Document[Root]) -> frozenset[str]:
    return frozenset(keyid for role in root.signed.roles.values() for keyid in role.keyids)
