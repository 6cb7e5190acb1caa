"""What a device trusts of a repository, and since when: the memory that shows what is older."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sakedge.errors import ExpiredError, MetadataError
from sakedge.trust.tuf.documents import Document, read_document, verify
from sakedge.trust.tuf.targets import Target, read_targets
from sakedge.trust.tuf.times import EARLIEST, to_text

if TYPE_CHECKING:
    from tuf.api.metadata import Root, Snapshot, Targets, Timestamp


@dataclass(frozen=True)
class MetadataSet:
    """Metadata of one time: what a repository listed when it was last signed."""

    timestamp: Document[Timestamp]
    snapshot: Document[Snapshot]
    targets: Document[Targets]

    @property
    def documents(self) -> tuple[Document[Timestamp], Document[Snapshot], Document[Targets]]:
        """All of it."""
        return self.timestamp, self.snapshot, self.targets


@dataclass(frozen=True)
class Trusted:
    """What is trusted. Nothing in here was taken over unverified.

    Attributes:
        anchor: SHA-256 of the root that was provisioned with the installation.
        root: The newest root that an unbroken chain led to from there.
        revoked: Ids of keys that an earlier root named and a later one did not.
        seen: The latest time that this machine's clock has shown.
        current: The set that was accepted last; None at first.
    """

    anchor: str
    root: Document[Root]
    revoked: frozenset[str] = frozenset()
    seen: datetime = EARLIEST
    current: MetadataSet | None = None

    @property
    def documents(self) -> tuple[Document[Any], ...]:
        """The root, and the set if there is one."""
        return (self.root, *(self.current.documents if self.current else ()))

    @property
    def targets(self) -> Mapping[str, Target]:
        """What the set lists, by name; whether it still counts is not asked."""
        return read_targets(self.current.targets.signed) if self.current else {}

    def now(self, clock: datetime) -> datetime:
        """No earlier than the clock says, than it ever said, or than the metadata were signed."""
        built = self.current.timestamp.built if self.current else None
        return max(clock, self.seen, built or EARLIEST)

    def seeing(self, clock: datetime) -> Trusted:
        """The same when the clock has shown a time."""
        return replace(self, seen=max(self.seen, clock))

    def forgetting(self, clock: datetime) -> Trusted:
        """The same as if the clock had never shown a later time."""
        return replace(self, seen=clock)

    def checked_set(self) -> MetadataSet:
        """The set that was accepted last, if the root still trusts those who signed it.

        Raises:
            MetadataError: There is none yet.
            RevokedError, SignatureError: It does not.
        """
        if self.current is None:
            raise MetadataError(
                "this machine has not seen the update repository yet",
                remedy="Bring it here and run `sakedge repo fetch`",
            )
        for document in self.current.documents:
            verify(document, self.root, self.revoked)
        return self.current

    def check_expiry(self, clock: datetime) -> None:
        """Checks that nothing has expired.

        Args:
            clock: What this machine's clock says.

        Raises:
            ExpiredError: Something has; the message tells a wrong clock from old metadata.
        """
        now = self.now(clock)
        first = min(self.documents, key=lambda document: document.expires)
        if now < first.expires:
            return
        verb = "rotate root" if first.role == "root" else "refresh"
        if now > clock:
            got = f"{to_text(now)}, seen or signed before, while this machine's clock says "
            got += to_text(clock)
            wrong = "If it never was so late, set the clocks right, and run `sakedge repo "
            wrong += "forget-time` here or `sakedge repo rotate timestamp` where it was signed"
        else:
            got = f"{to_text(now)} by this machine's clock"
            wrong = "If this clock is ahead, set it right"
        raise ExpiredError(
            f"the {first.role} metadata of the update repository have expired",
            expected=f"a time before {to_text(first.expires)}",
            got=got,
            remedy=f"Run `sakedge repo {verb}` where it is published and bring the repository "
            f"here again. {wrong}",
        )


def begin(root: bytes, name: str = "root.json") -> Trusted:
    """What is trusted at first: a root as it was provisioned.

    Raises:
        MetadataError: It is no root's metadata.
        SignatureError: It is not signed by its own keys.
    """
    document = read_document("root", root, name)
    verify(document, document)
    return Trusted(hashlib.sha256(root).hexdigest(), document)
