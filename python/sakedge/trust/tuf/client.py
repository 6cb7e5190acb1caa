"""A device that is served by an update repository: what it may install, and what it must not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from sakedge.errors import ExpiredError, OptionError, RevokedError, StorageError, shown
from sakedge.files.atomic import make_folder
from sakedge.files.locked import locked
from sakedge.files.paths import file_path
from sakedge.logs import LOG
from sakedge.trust.tuf.folder import Folder
from sakedge.trust.tuf.state import read_state, write_state
from sakedge.trust.tuf.targets import Target, read_targets
from sakedge.trust.tuf.times import EARLIEST, Clock, read_clock, to_text, utc_now
from sakedge.trust.tuf.trusted import Trusted, begin
from sakedge.trust.tuf.workflow import accept, follow_roots

_NOTED = timedelta(hours=1)
"""How far the clock moves before a mere look writes it down."""


class Client:
    """What a device knows of its update repository.

    Every call reads the state anew, so that processes share it; only `refresh` needs to write it.

    Args:
        root: The root of trust as it was provisioned with the installation, the file's bytes.
        state: Folder for what the device has seen; whoever can write there can make it forget.
        clock: Tells the time; this machine's by default.

    Raises:
        OptionError: An argument is of another kind.
        MetadataError: The root is no root's metadata.
        SignatureError: It is not signed by its own keys.
    """

    def __init__(self, root: bytes, state: str | Path, clock: Clock = utc_now) -> None:
        if not isinstance(root, bytes):
            raise OptionError(
                "no root of trust", expected="the bytes of root.json", got=shown(root)
            )
        self._anchor = begin(root)
        self._folder = file_path("a device's state", state)
        self._clock = clock
        read_clock(clock)

    def refresh(self, repository: str | Path) -> None:
        """Takes over what a repository lists now.

        What is refused changes nothing, but that a newer root is kept: a key that was revoked is
        not trusted again because the rest of a stick is damaged.

        Args:
            repository: Its folder, e.g. on a USB stick.

        Raises:
            ExpiredError: Something in it has expired; the message says what to do.
            ReplayError: It is older than what was seen before, or mixed of several times.
            RevokedError: It is signed with a key that was revoked.
            SignatureError: It is not signed by the keys that the root names.
            MetadataError, UnsafePathError: It is malformed, or files are missing.
            StorageError: It cannot be read, or the state not be written.
        """
        folder, clock = Folder(repository), read_clock(self._clock)
        make_folder(self._folder)
        with locked(self._folder / "lock"):
            trusted = self._read().seeing(clock)
            try:
                trusted = follow_roots(trusted, folder)
                new = accept(trusted, folder)
                new.check_expiry(clock)
                trusted = new
            finally:
                write_state(self._folder, trusted)
        built = trusted.now(EARLIEST)
        if built > clock:
            LOG.warning(
                "this machine's clock says %s, but it was already %s: set it right",
                to_text(clock),
                to_text(built),
            )

    @property
    def trusted(self) -> Trusted:
        """What the device trusts now, whether it has expired or not.

        Raises:
            MetadataError, SignatureError, StorageError: The state is damaged.
        """
        return self._read()

    def targets(self, *, may_be_expired: bool = False) -> Mapping[str, Target]:
        """All files that may be installed, by name.

        Args:
            may_be_expired: Whether what the repository listed last counts also when that is older
                than it may be.

        Raises:
            ExpiredError: It is, and may not be.
            MetadataError: No repository was seen yet, or the state is damaged.
            SignatureError, RevokedError: The root trusts those no longer who signed the list.
        """
        trusted, clock = self._read(), read_clock(self._clock)
        found = read_targets(trusted.checked_set().targets.signed)
        with self._noting(trusted, clock):
            if not may_be_expired:
                trusted.check_expiry(clock)
        return found

    def target(self, name: str, *, may_be_expired: bool = False) -> Target:
        """A file that may be installed.

        Raises:
            RevokedError: The repository does not list it, or no longer.
            ExpiredError, MetadataError, SignatureError: As `targets`.
        """
        found = self.targets(may_be_expired=may_be_expired)
        if not isinstance(name, str) or name not in found:
            raise RevokedError(
                f"the update repository does not list {shown(name)}: it was revoked, or never "
                "published",
                expected=f"one of its {len(found)} files",
                remedy="Install what it lists, see `sakedge repo show`",
            )
        return found[name]

    def check(
        self, name: str, content: bytes | memoryview, *, may_be_expired: bool = False
    ) -> Target:
        """Checks that a file is what the repository lists under its name now.

        Raises:
            ReplayError: It is another version of it, or damaged.
            RevokedError, ExpiredError, MetadataError, SignatureError: As `target`.
        """
        found = self.target(name, may_be_expired=may_be_expired)
        found.check(content)
        return found

    def fetch(self, repository: str | Path, name: str) -> bytes:
        """A file's bytes from a repository, verified.

        Raises:
            ReplayError: It is another file than the one listed.
            MetadataError, UnsafePathError, StorageError: It is missing, a link, or unreadable.
            RevokedError, ExpiredError, SignatureError: As `target`.
        """
        return Folder(repository).target(self.target(name))

    def forget_time(self) -> None:
        """Forgets the latest time that the clock showed, for one that was wrong and ahead.

        Nothing else is forgotten: what is older than the metadata seen stays refused.

        Raises:
            StorageError: The state cannot be written.
        """
        make_folder(self._folder)
        with locked(self._folder / "lock"):
            trusted = self._read()
            write_state(self._folder, trusted.forgetting(read_clock(self._clock)))

    def _read(self) -> Trusted:
        return read_state(self._folder, self._anchor)

    @contextmanager
    def _noting(self, trusted: Trusted, clock: datetime) -> Iterator[None]:
        """Writes down a time that was seen, above all one at which the block found an expiry."""
        late = clock - trusted.seen > _NOTED
        try:
            yield
        except ExpiredError:
            late = clock > trusted.seen
            raise
        finally:
            if late:
                # Whoever only infers may not write here; whoever refreshes does.
                with suppress(StorageError), locked(self._folder / "lock"):
                    write_state(self._folder, self._read().seeing(clock))
