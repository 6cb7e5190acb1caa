"""The store of a device's adapters."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from sakedge.arguments import in_range
from sakedge.audit import whoami
from sakedge.errors import SakedgeError, StorageError, StoreError
from sakedge.files.atomic import is_folder, is_there, make_folder, storage_error, sync_folder
from sakedge.files.locked import locked
from sakedge.files.paths import absolute_path
from sakedge.format.schema import Text
from sakedge.site import Site
from sakedge.store.acts import acting, admitted, change, writing
from sakedge.store.adding import add
from sakedge.store.deltas import is_delta, read_delta
from sakedge.store.entry import Entry, entries, find, of_digest
from sakedge.store.layout import Layout
from sakedge.store.packs import copy, read_incoming
from sakedge.store.recovery import collect, recover
from sakedge.store.running import Notice, Running, running
from sakedge.store.schema import (
    ActiveName,
    Marker,
    checked,
    names_in,
    now,
    read_record,
    write_record,
)
from sakedge.store.state import KEPT, Active, State, after, before, before_at, earlier, read_state

FOLDER = Path("/var/lib/sakedge/store")
"""Where a device has its store, unless another folder is named."""
Folder = str | os.PathLike[str]


class Store:
    """A folder with the adapters of a device: every version, what is active, what was before.

    Whoever writes holds the store's lock. Whoever reads takes none, and sees the state before a
    change or the one after it. A process that is killed, and a device that loses its power, leave
    one of the two; what else is left is removed when the store is opened or written next.

    The site is asked first: for the action, for the signature of a pack, for its licence. What was
    done, and what was refused, goes to its log.
    """

    def __init__(self, layout: Layout, site: Site, wait: float) -> None:
        self._layout = layout
        self._site = site
        self._wait = wait

    @classmethod
    def open(
        cls, folder: Folder = FOLDER, *, site: Site | None = None, wait: float = 10.0
    ) -> Store:
        """Opens a store.

        Args:
            folder: The store.
            site: Whose policy holds; None is the device's own.
            wait: Seconds that a change waits for another process that is writing.

        Raises:
            StoreError: The folder is no store, or it is damaged.
            NewerFormatError: It is of a newer format than this sakedge reads. It is untouched.
            StorageError: It cannot be read.
            OptionError: An argument is of another type.
        """
        layout = Layout(absolute_path("a store", folder))
        in_range("wait", wait, low=0, high=86400)
        if not is_there(layout.marker):
            raise StoreError(
                f"{layout.folder} is no adapter store",
                expected=f"a folder with {layout.marker.name}",
                remedy="Check the path; `sakedge adapter add` makes a store",
            )
        read_record(layout.marker, Marker)
        read_state(layout)
        with suppress(SakedgeError), locked(layout.lock, timeout=0):
            recover(layout, read_state(layout))
        return cls(layout, Site.open() if site is None else site, wait)

    @classmethod
    def create(
        cls, folder: Folder = FOLDER, *, site: Site | None = None, wait: float = 10.0
    ) -> Store:
        """Makes an empty store in a folder that is missing or empty.

        Raises:
            StoreError: There is a store already, or something else is in the folder.
            StorageError: It cannot be written.
            OptionError, PermissionDeniedError: As for `open`, or the user may not.
        """
        layout = Layout(absolute_path("a store", folder))
        site = Site.open() if site is None else site
        site.allow("administer")
        make_folder(layout.folder)
        sync_folder(layout.folder.parent)  # a writer that was killed may have made it just now
        with locked(layout.lock, timeout=wait):
            ours = {layout.active.name, layout.lock.name, *(each.name for each in layout.folders)}
            if is_there(layout.marker):
                raise StoreError(f"{layout.folder} is an adapter store already")
            if set(names_in(layout.folder)) - ours:
                problem = f"{layout.folder} is neither empty nor an adapter store"
                raise StoreError(problem, remedy="Choose another folder")
            for each in layout.folders:
                make_folder(each)
            write_record(layout.active, State(since=now(), by=whoami(), reason="new"))
            write_record(layout.marker, Marker())
        site.record("store.create", subject=str(layout.folder))
        return cls.open(folder, site=site, wait=wait)

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self._layout.folder

    def state(self) -> State:
        """What is active.

        Raises:
            StorageError, StoreError, NewerFormatError: It cannot be read, or is damaged.
        """
        return read_state(self._layout)

    def stamp(self) -> object:
        """Something that is another as soon as the state is another one; cheap to ask for.

        Raises:
            StorageError: The state cannot be looked at.
        """
        try:
            status = self._layout.active.stat()
        except OSError as error:
            raise storage_error("cannot read", self._layout.active, error) from error
        return status.st_mtime_ns, status.st_ino, status.st_size

    def history(self) -> tuple[State, ...]:
        """The states before, the latest first.

        Raises:
            SakedgeError: As for `state`.
        """
        return tuple(earlier(self._layout, self.state()))

    def entries(self) -> tuple[Entry, ...]:
        """All versions, by adapter.

        Raises:
            SakedgeError: As for `state`; or the user may not view it.
        """
        self._site.allow("view")
        return tuple(entries(self._layout, self.state()))

    def running(self) -> tuple[Running, ...]:
        """What living processes say that they run of it.

        Raises:
            StorageError: That cannot be listed.
        """
        return running(self._layout)

    def notice(self, token: str) -> Notice:
        """The file in which this process says what it runs.

        Args:
            token: Tells apart the students of one process; letters and digits.
        """
        return Notice(self._layout, token)

    def path(self, digest: str) -> Path:
        """The file of a pack, after a look at every byte of it, at its signature and its licence.

        Args:
            digest: SHA-256 of the pack's file.

        Raises:
            StoreError: It is not in the store.
            DigestError: It was changed or damaged.
            TrustError, PolicyError: The site does not admit it, or no longer.
        """
        checked(str, "a digest", digest)
        return admitted(self._layout, self._site, of_digest(self._layout, digest))

    def golden(self, digest: str) -> Path | None:
        """The folder of golden images that a pack is to be tried on, if one was named.

        Raises:
            StoreError: It is not in the store.
        """
        named = of_digest(self._layout, digest).golden
        return None if named is None else Path(named)

    def add(
        self,
        pack: str | os.PathLike[str],
        *,
        name: str | None = None,
        version: str | None = None,
        golden: str | os.PathLike[str] | None = None,
    ) -> Entry:
        """Adds an adapter pack, or a delta to one, and its envelope. It is not active yet.

        A pack that is there already stays as it is, and is repaired if it was damaged.

        Args:
            pack: The pack, or a delta (`.sakdelta`) to a pack that is in the store.
            name: The slot that it is for; None is the pack's own name.
            version: Its version; None is what the pack says, or the first digits of its digest.
            golden: A folder of golden images, on which it is tried before it runs.

        Returns:
            The version, as it is in the store.

        Raises:
            FileFormatError: It cannot be used; the subclass says why.
            TrustError, PolicyError: The site does not admit it.
            StoreError: Another pack has this version.
            StorageError: It cannot be read, or the store cannot be written.
            OptionError: An argument is of another type.
        """
        path = absolute_path("a pack", pack)
        if version is not None:
            checked(Text, "a version", version)
        folder = None if golden is None else str(_golden_folder(golden))
        with (
            acting(self._site, "store.add", "swap", path.name),
            writing(self._layout, self._wait) as state,
        ):
            if is_delta(path):
                incoming = read_delta(self._layout, state, self._site, path)
            else:
                incoming = read_incoming(path)
            found = add(self._layout, state, self._site, incoming, name, version, folder)
            self._site.record("store.add", subject=str(found), new=found.digest)
        return found

    def activate(self, name: str, version: str, *, reason: str = "") -> State:
        """Makes a version active, in place of what is.

        Args:
            name: The slot, or `slot@label` for a version that lies side by side in it.
            version: The version, or the first eight digits of its digest, or more.
            reason: Why, for those who come later.

        Returns:
            The state that holds now.

        Raises:
            StoreError: There is no such version.
            DigestError: Its pack was changed or damaged.
            TrustError, PolicyError: The site does not admit it, or no longer.
            StorageError: The store cannot be written.
            OptionError: An argument is of another type.
        """
        checked(ActiveName, "a name of an adapter", name)
        checked(str, "a version", version)
        with (
            acting(self._site, "store.activate", "swap", name),
            writing(self._layout, self._wait) as state,
        ):
            entry = find(self._layout, state, name, version)
            if state.active.get(name) == entry.digest:
                return state
            admitted(self._layout, self._site, entry)
            new = Active(version=entry.version, digest=entry.digest, generation=after(state))
            return change(self._layout, self._site, "store.activate", state, {name: new}, reason)

    def deactivate(self, name: str, *, reason: str = "") -> State:
        """Leaves a name to the student again: it runs its own adapter there, if it has one.

        Returns:
            The state that holds now.

        Raises:
            StoreError: Nothing is active under this name.
            SakedgeError: As for `activate`.
        """
        checked(ActiveName, "a name of an adapter", name)
        with (
            acting(self._site, "store.deactivate", "swap", name),
            writing(self._layout, self._wait) as state,
        ):
            if name not in state.active:
                there = ", ".join(state.active) or "none"
                raise StoreError(f"nothing of the store is active as {name}", expected=there)
            new = Active(generation=after(state))
            return change(self._layout, self._site, "store.deactivate", state, {name: new}, reason)

    def rollback(self, name: str | None = None, *, reason: str = "") -> State:
        """Goes back to the state before, and when called again, to the one before that.

        Args:
            name: What to roll back; None is everything at once.
            reason: Why, for those who come later.

        Returns:
            The state that holds now: a new one, like the earlier one.

        Raises:
            StoreError: There is nothing to go back to, or its pack is gone.
            SakedgeError: As for `activate`.
        """
        if name is not None:
            checked(ActiveName, "a name of an adapter", name)
        with (
            acting(self._site, "store.rollback", "rollback", name or ""),
            writing(self._layout, self._wait) as state,
        ):
            if name is not None:
                changes = {name: before_at(self._layout, state, name)}
                return change(self._layout, self._site, "store.rollback", state, changes, reason)
            target = before(self._layout, state)
            gone = {each: Active(generation=0) for each in state.adapters}
            changes = {**gone, **target.adapters}
            return change(
                self._layout, self._site, "store.rollback", state, changes, reason, target.origin
            )

    def gc(self, keep: int = 2) -> tuple[Entry, ...]:
        """Removes versions that nobody goes back to, and the states that led to them.

        What is active stays, what was active in the last `keep` states before, and what was added
        since the oldest of these.

        Args:
            keep: How many steps back remain.

        Returns:
            What was removed.

        Raises:
            SakedgeError: As for `activate`.
        """
        in_range("keep", keep, low=0, high=KEPT, whole=True)
        with (
            acting(self._site, "store.gc", "administer", ""),
            writing(self._layout, self._wait) as state,
        ):
            gone = collect(self._layout, state, keep)
            for each in gone:
                self._site.record("store.gc", subject=str(each), old=each.digest)
        return gone

    def export(self, name: str, version: str, to: str | os.PathLike[str]) -> Path:
        """Writes a pack and its envelope into a folder, under the names that they came with.

        Args:
            name: The slot.
            version: The version, or the first eight digits of its digest, or more.
            to: The folder; it is made where it is missing.

        Returns:
            The pack.

        Raises:
            StoreError: There is no such version.
            StorageError: The files cannot be written.
            SakedgeError: As for `path`.
        """
        folder = absolute_path("a folder", to)
        checked(ActiveName, "a name of an adapter", name)
        checked(str, "a version", version)
        with acting(self._site, "store.export", "view", name):
            entry = find(self._layout, self.state(), name, version)
            path = admitted(self._layout, self._site, entry)
            make_folder(folder)
            copy(path, folder)
            self._site.record("store.export", subject=str(entry), new=entry.digest)
        return folder / path.name


def _golden_folder(given: str | os.PathLike[str]) -> Path:
    """A folder of golden images that is there; no path of one is longer than a record holds."""
    folder = absolute_path("golden images", given)
    if not is_folder(folder):
        raise StorageError(
            f"{folder} is no folder of golden images", expected="a folder", remedy="Check the path"
        )
    return folder
