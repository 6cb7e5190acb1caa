"""The publisher's side: a folder with what boxes may install, signed role by role."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sakedge.arguments import one_of, pick
from sakedge.errors import OptionError, ReplayError, SignatureError, UnknownNameError
from sakedge.files.atomic import draft, make_folder, storage_error
from sakedge.files.bounded import read_bounded
from sakedge.files.locked import locked
from sakedge.files.opening import open_regular
from sakedge.files.paths import absolute_path
from sakedge.trust.describing import describe
from sakedge.trust.dsse import SUFFIX
from sakedge.trust.keys import PrivateKey
from sakedge.trust.tuf.cleaning import remove_unlisted
from sakedge.trust.tuf.documents import MOST_BYTES, Document
from sakedge.trust.tuf.folder import Folder
from sakedge.trust.tuf.founding import found
from sakedge.trust.tuf.listing import files_to_publish
from sakedge.trust.tuf.names import METADATA, ROLES, Role, target_path
from sakedge.trust.tuf.role_keys import RoleKeys
from sakedge.trust.tuf.signing import check_days, days_of, meta_of, sign, write
from sakedge.trust.tuf.targets import Target
from sakedge.trust.tuf.times import Clock, read_clock, to_text, utc_now
from sakedge.trust.tuf.trusted import MetadataSet, Trusted, begin
from sakedge.trust.tuf.workflow import accept, follow_roots

if TYPE_CHECKING:
    from tuf.api.metadata import Targets

ANCHOR = "root.json"
"""Beside the keys: the root that was made first, which installations are provisioned with."""
_CHUNK = 1 << 20


class Publisher:
    """Whoever holds the keys of a repository.

    Each change is signed anew from targets to timestamp, and counts from the moment at which the
    timestamp is replaced; cut off before, it has not happened.

    Args:
        folder: The repository.
        keys: Folder of the keys that are needed from day to day.
        root_keys: Folder of the root's, which is needed to make and to rotate; `keys` by default.
        days: By role, for how many days it signs from now on, in place of as before.
        clock: Tells the time.

    Raises:
        OptionError: An argument is of another kind.
        FileFormatError, TrustError: What is there is no repository of these keys.
    """

    def __init__(
        self,
        folder: str | Path,
        keys: str | Path,
        *,
        root_keys: str | Path | None = None,
        days: Mapping[Role, int] | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self.folder = absolute_path("a repository", folder)
        self._folder_of_keys = absolute_path("the keys", keys)
        root_folder = self._folder_of_keys if root_keys is None else root_keys
        self._keys = RoleKeys(self._folder_of_keys, absolute_path("the root's keys", root_folder))
        self._days, self._clock = check_days(days), clock
        read_clock(clock)
        self.trusted = self._read()

    @classmethod
    def init(
        cls,
        folder: str | Path,
        keys: str | Path,
        *,
        root_keys: str | Path | None = None,
        days: Mapping[Role, int] | None = None,
        clock: Clock = utc_now,
    ) -> Publisher:
        """Makes an empty repository, and keys where there are none yet.

        Args: as of the class.

        Raises:
            OptionError: There is a repository already, or the keys belong to another.
            StorageError: It cannot be written.
        """
        path = absolute_path("the keys", keys)
        root_path = path if root_keys is None else absolute_path("the root's keys", root_keys)
        found(
            absolute_path("a repository", folder),
            path / ANCHOR,
            RoleKeys(path, root_path),
            check_days(days),
            read_clock(clock),
        )
        return cls(folder, keys, root_keys=root_keys, days=days, clock=clock)

    def publish(self, paths: str | Path | Iterable[str | Path]) -> tuple[Target, ...]:
        """Lists files from now on, each under its name; one of that name before is replaced.

        Args:
            paths: Files, with their envelopes beside them; and folders, whose files are listed as
                `folder/…`.

        Returns:
            What was listed.

        Raises:
            OptionError: Two files have one name, or there is none.
            UnsafePathError: A file is a link, or its name could lead elsewhere.
            FileFormatError: A pack or a student is damaged.
            SignatureError: A key is not at hand.
            ReplayError: This machine's clock is behind the last signing.
            StorageError: A file cannot be read or written.
        """
        from tuf.api.metadata import TargetFile

        given = _paths(paths)
        with self._changing() as current:
            targets = deepcopy(current.targets.signed)
            files = files_to_publish(given)
            described = {name: _described(path) for name, path in files.items()}
            for name, path in files.items():
                length, digest = self._store(name, path)
                targets.targets[name] = TargetFile(
                    length, {"sha256": digest}, name, {"custom": described[name]}
                )
            self._issue(targets)
        listed = self.targets
        return tuple(listed[name] for name in files)

    def revoke(self, names: str | Iterable[str]) -> tuple[str, ...]:
        """Lists files, and their envelopes, no longer: boxes that see it use them no more.

        Returns:
            The names that are listed no longer.

        Raises:
            UnknownNameError: One is not listed.
            SignatureError, ReplayError, StorageError: As `publish`.
        """
        with self._changing() as current:
            targets = deepcopy(current.targets.signed)
            there = tuple(targets.targets)
            if names is None:  # which would mean all
                raise OptionError(
                    "no name of a file to revoke", expected="a name listed", got="None"
                )
            wanted = pick("file", names, there, UnknownNameError)
            with_envelopes = dict.fromkeys((*wanted, *(f"{name}{SUFFIX}" for name in wanted)))
            gone = tuple(name for name in with_envelopes if name in targets.targets)
            for name in gone:
                del targets.targets[name]
            self._issue(targets)
        return gone

    def refresh(self) -> None:
        """Signs anew what is listed, so that boxes may use it for longer.

        Raises:
            SignatureError, ReplayError, StorageError: As `publish`.
        """
        with self._changing():
            self._issue()

    def rotate(self, role: Role) -> str:
        """Replaces a role's key. The old one is revoked for every box that sees the new root.

        What is listed is signed with both keys before the new root appears, so that boxes find a
        repository that is whole at every moment.

        Returns:
            The id of the new key.

        Raises:
            OptionError: There is no such role.
            SignatureError: A key that must sign is not at hand, e.g. the root's.
            ReplayError, StorageError: As `publish`.
        """
        one_of("role", role, ROLES)
        with self._changing() as current:
            # A timestamp of another key replaces one that a wrong clock signed too late.
            now = self._now(may_be_earlier=role == "timestamp")
            root = deepcopy(self.trusted.root.signed)
            signers = [self._keys.find("root", root.roles["root"].keyids)]
            root.version += 1
            new = self._keys.make(role, root.version)
            for keyid in tuple(root.roles[role].keyids):
                root.revoke_key(keyid, role)
            root.add_key(new.public.sslib(), role)
            signed_root = sign(
                root, [*signers, new] if role == "root" else signers, now, self._days
            )
            if role != "root":
                self._issue(deepcopy(current.targets.signed), also={role: new}, now=now)
            write(self.folder / METADATA, signed_root)
            self._keys.remove_others(role, new.keyid)
        return new.keyid

    @property
    def targets(self) -> Mapping[str, Target]:
        """What is listed, by name."""
        return self.trusted.targets

    def _read(self) -> Trusted:
        """What is there, verified from the root on that lies with the keys."""
        content = read_bounded(self._folder_of_keys / ANCHOR, MOST_BYTES["root"])
        folder = Folder(self.folder)
        return accept(follow_roots(begin(content), folder), folder)

    @contextmanager
    def _changing(self) -> Iterator[MetadataSet]:
        """One change at a time, from what is there now."""
        with locked(self._folder_of_keys / "lock"):
            self.trusted = self._read()
            yield self.trusted.checked_set()
            self.trusted = self._read()
            remove_unlisted(self.folder, self.trusted.checked_set())

    def _now(self, may_be_earlier: bool = False) -> datetime:
        now, last = read_clock(self._clock), self.trusted.checked_set().timestamp.built
        if last is not None and now < last and not may_be_earlier:
            raise ReplayError(
                "this machine's clock is behind the time at which the repository was last signed",
                expected=f"a time after {to_text(last)}",
                got=to_text(now),
                remedy="Set the clock right; if it was ahead at the last signing, run `sakedge "
                "repo rotate timestamp` once it is right",
            )
        return now

    def _issue(
        self,
        targets: Targets | None = None,
        *,
        also: Mapping[Role, PrivateKey] | None = None,
        now: datetime | None = None,
    ) -> None:
        """Signs and writes from targets to timestamp.

        Args:
            targets: The list; None for the one that is there, signed anew only if it would expire
                before the timestamp.
            also: Keys that sign besides those of now, or in place of one that was lost.
            now: The time of signing.
        """
        now, also = now or self._now(), also or {}
        current = self.trusted.checked_set()
        metadata = self.folder / METADATA

        def signed(role: Role, content: Any, version: int) -> Document[Any]:
            content.version = version + 1
            document = sign(content, self._signers(role, also.get(role)), now, self._days)
            documents.append(document)
            return document

        documents: list[Document[Any]] = []
        listed = current.targets
        timestamp = deepcopy(current.timestamp.signed)
        end = now + timedelta(days=days_of(timestamp, self._days))
        if targets is not None or "targets" in self._days or listed.expires < end:
            content = targets or deepcopy(listed.signed)
            listed = signed("targets", content, listed.version)
        snapshot = deepcopy(current.snapshot.signed)
        snapshot.meta["targets.json"] = meta_of(listed)
        timestamp.snapshot_meta = meta_of(signed("snapshot", snapshot, snapshot.version))
        signed("timestamp", timestamp, timestamp.version)
        for document in documents:
            write(metadata, document)

    def _signers(self, role: Role, also: PrivateKey | None) -> list[PrivateKey]:
        try:
            keys = [self._keys.find(role, self.trusted.root.signed.roles[role].keyids)]
        except SignatureError:
            if also is None:
                raise
            keys = []  # lost, which is why it is replaced
        return keys if also is None else [*keys, also]

    def _store(self, name: str, path: Path) -> tuple[int, str]:
        """Copies a file to its place; its length and SHA-256."""
        place = self.folder.joinpath(*target_path(name, "0"))
        make_folder(place.parent)
        digest, length = hashlib.sha256(), 0
        try:
            descriptor, _ = open_regular(path)
            with os.fdopen(descriptor, "rb") as source, draft(place.parent) as new:
                while chunk := source.read(_CHUNK):
                    digest.update(chunk)
                    length += new.file.write(chunk)
                new.place(self.folder.joinpath(*target_path(name, digest.hexdigest())))
        except OSError as error:
            raise storage_error("cannot copy", path, error) from error
        return length, digest.hexdigest()


def _described(path: Path) -> dict[str, Any]:
    """What the list says of a file."""
    return {"kind": "envelope"} if path.name.endswith(SUFFIX) else describe(path)


def _paths(given: Any) -> tuple[Path, ...]:
    """The paths that a caller gave; a single one counts as one."""
    one = isinstance(given, str | Path) or not isinstance(given, Iterable)
    paths = (given,) if one else given
    return tuple(absolute_path("a file to publish", path) for path in paths)
