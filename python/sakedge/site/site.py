"""A site: its policy, its keys, its log. Whoever acts on its machines asks it first."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sakedge.arguments import one_of
from sakedge.audit import whoami
from sakedge.errors import (
    FileFormatError,
    OptionError,
    PermissionDeniedError,
    PolicyError,
    SakedgeError,
    TrustError,
    shown,
)
from sakedge.files.bounded import read_bounded
from sakedge.files.mapped import MappedFile
from sakedge.files.paths import absolute_path, file_path
from sakedge.logs import LOG
from sakedge.site.admission import KINDS, MAX_BYTES, Admitted, Kind
from sakedge.site.journal import Journal
from sakedge.site.policy import ACTIONS, FILE, Action, Policy, read_policy
from sakedge.site.vouching import ROOT, Vouching
from sakedge.trust.encryption import decrypt, is_encrypted
from sakedge.trust.keyring import Keyring
from sakedge.trust.secret_keys import KeySource, key_file, key_sources, key_variable

DEFAULT = Path("/etc/sakedge")
"""The site of a machine, if it has a policy."""
KEYS = "keys"
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class Site:
    """What a site has decided.

    Args:
        folder: Its folder; None is no site: nothing is required and nothing recorded.
        keys: Gives the keys of encrypted files in place of what the policy names, e.g. from a TPM.

    Attributes:
        folder: The folder.
        policy: The policy.
    """

    def __init__(self, folder: Path | None, *, keys: KeySource | None = None) -> None:
        self.folder = folder
        self.policy, self._journal = Policy(), None
        if folder is not None:
            self.policy, text = read_policy(folder)
            for path in open_to_others(folder):
                LOG.warning("others may write to %s: run chmod go-w on it", path)
            if self.policy.audit is not None:
                digest = hashlib.sha256(text).hexdigest()
                self._journal = Journal(folder, self.policy.audit, digest)
        self._keys = keys or self._policy_keys()

    @classmethod
    def open(
        cls, folder: str | os.PathLike[str] | None = None, *, keys: KeySource | None = None
    ) -> Site:
        """Opens a site's folder; None is `/etc/sakedge` if it has a policy, else no site.

        Raises:
            PolicyError: The folder has no policy, or a malformed one.
            NewerFormatError: The policy is of a newer format.
            StorageError: It cannot be read.
            OptionError: `folder` is no path.
        """
        if folder is not None:
            return cls(absolute_path("a site", folder), keys=keys)
        return cls(DEFAULT if _may_have_policy(DEFAULT) else None, keys=keys)

    def allow(self, action: Action, who: str | None = None) -> None:
        """Lets an action pass, or refuses it and records that.

        Args:
            action: `view`, `infer`, `swap`, `rollback` or `administer`.
            who: The user; None is the one of this process.

        Raises:
            PermissionDeniedError: The user's role does not include it.
        """
        one_of("action", action, ACTIONS)
        if self.policy.roles is None:
            return
        # Whoever uses sudo acts as root, and is in the log by his own name too.
        user = whoami().partition(" (sudo: ")[0] if who is None else who
        if not isinstance(user, str):
            raise OptionError("no user", expected="a name", got=shown(user))
        if self.policy.may(user, action):
            return
        roles = [name for name, actions in self.policy.roles.items() if action in actions]
        error = PermissionDeniedError(
            f"{user} may not {action} here",
            expected=f"one of the roles {', '.join(roles)}" if roles else "nobody may",
            got=(self.policy.users or {}).get(user, "no role of that"),
            remedy=f"Ask whoever keeps {FILE} of this site",
        )
        self._refuse(action, error, who=who)
        raise error

    @property
    def requires_signatures(self) -> bool:
        """Whether somebody has to vouch for what it admits."""
        return self.policy.requires("dsse") or self.policy.requires("tuf")

    @property
    def records_inferences(self) -> bool:
        """Whether each image that is run is to be recorded."""
        return self.policy.audit is not None and self.policy.audit.inferences

    def admit(self, path: str | Path, kind: Kind, *, installed: bool = False) -> Admitted:
        """Reads a file, and checks what the policy requires of it before anything parses it.

        Args:
            path: The file.
            kind: What it is to be. A student is mapped, all else is read into memory.
            installed: Whether it was admitted here before and is only used again. Then what the
                update repository said last counts also after that has expired, so that a machine
                starts again; what it has revoked stays refused.

        Raises:
            SignatureError, RevokedError, ExpiredError, ReplayError: It is not trusted.
            EnvelopeError, MetadataError: What should vouch for it is malformed.
            EncryptionError: It is encrypted, and cannot be decrypted.
            FileFormatError: It is too large.
            StorageError: It cannot be read.
        """
        one_of("kind of file", kind, KINDS)
        path = file_path(f"a {kind}", path)
        with self._refusing(path.name):
            mapped = MappedFile(path) if kind == "student" else None
            stored = memoryview(read_bounded(path, MAX_BYTES)) if mapped is None else mapped.data
            found = Admitted(path, stored, stored)
            signers = self._vouching().check(found, may_be_expired=installed)
            content = stored
            if is_encrypted(stored):
                content = memoryview(decrypt(stored, path.name, self._keys))
                mapped = None if mapped is None else MappedFile.held(path, content)
            return Admitted(path, stored, content, signers, mapped)

    def admit_folder(self, folder: str | Path, *, installed: bool = False) -> None:
        """Checks a folder, e.g. of golden images, as `admit` checks a file.

        Raises:
            TrustError, FileFormatError, StorageError: As for `admit`.
        """
        folder = file_path("a folder", folder)
        with self._refusing(folder.name):
            self._vouching().check_folder(folder, may_be_expired=installed)

    def check_license(self, license: str | None, what: str) -> None:
        """Refuses what is under a licence that the policy does not allow.

        Args:
            license: As the file states it; None if it states none.
            what: The file or part, for the message.

        Raises:
            PolicyError: It is not allowed.
        """
        allow, deny = self.policy.licenses.allow, self.policy.licenses.deny
        stated = license.strip() if isinstance(license, str) else ""
        is_denied = bool(stated) and stated in {each.strip() for each in deny}
        if not is_denied and (allow is None or stated in {each.strip() for each in allow} - {""}):
            return
        error = PolicyError(
            f"the licence of {what} is not allowed here",
            expected="any but those denied" if is_denied else ", ".join(allow or ()) or "none",
            got=stated[:100] or "none stated",
            remedy="Take another one, or have the licence cleared and added to `licenses`",
        )
        self._refuse(what, error)
        raise error

    def record(self, action: str, **fields: Any) -> None:
        """Records what was done, where the policy keeps a log; arguments as `AuditLog.append`.

        Raises:
            StorageError, AuditError: It cannot be recorded, and the policy requires that it is.
        """
        if self._journal is not None:
            self._journal.record(action, fields)

    @property
    def keyring(self) -> Keyring:
        """The keys that are trusted and revoked now.

        Raises:
            KeyFileError, StorageError: One of the files cannot be used.
        """
        return Keyring() if self.folder is None else Keyring.read(self.folder / KEYS)

    def _vouching(self) -> Vouching:
        return Vouching(self.folder, self.policy, self.keyring if self.folder else Keyring())

    def _policy_keys(self) -> KeySource | None:
        places, folder = self.policy.decryption, self.folder or Path()
        files = [place for place in (places.age_identity, places.gcm_key) if place is not None]
        sources = [key_file(folder / place) for place in files]
        if places.environment is not None:
            sources.append(key_variable(places.environment))
        return key_sources(*sources) if sources else None

    @contextmanager
    def _refusing(self, name: str) -> Iterator[None]:
        """Records that a file was refused."""
        try:
            yield
        except (TrustError, FileFormatError) as error:
            self._refuse(name, error)
            raise

    def _refuse(self, subject: str, error: SakedgeError, who: str | None = None) -> None:
        detail = {"error": type(error).__name__, "reason": str(error)}
        self.record("refuse", subject=subject, result="refused", detail=detail, who=who)


def open_to_others(folder: Path) -> list[Path]:
    """What of a site others than its owner may write to: whoever can decides what is trusted."""
    found = []
    for path in (folder, folder / FILE, folder / KEYS, folder / ROOT):
        with suppress(OSError):  # not there
            if os.name == "posix" and path.stat().st_mode & _OTHERS:
                found.append(path)
    return found


def _may_have_policy(folder: Path) -> bool:
    """Whether a policy is there, or may be: one that cannot be looked at is no open site."""
    try:
        (folder / FILE).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # reading it will say why
        return True
    return True
