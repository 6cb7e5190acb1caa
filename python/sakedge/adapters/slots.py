"""The adapters of a loaded student: which are there, and exchanging them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Literal

from sakedge.adapters.exchanger import Exchanger, Verb
from sakedge.adapters.lineup import Lineup
from sakedge.adapters.packs import Place
from sakedge.adapters.preparer import Preparer, require
from sakedge.adapters.snapshot import PartSource, Snapshot
from sakedge.adapters.state import Names, State
from sakedge.adapters.supply import Supply
from sakedge.adapters.trials import Trials
from sakedge.adapters.versions import (
    FROM_FILE,
    REMOVED,
    Change,
    LoadedAdapter,
    split_name,
)
from sakedge.arguments import flag, pick
from sakedge.errors import (
    AdapterMismatchError,
    OptionError,
    PolicyError,
    SakedgeError,
    TrustError,
    UnknownAdapterError,
    shown,
)
from sakedge.format import Manifest, PartPack
from sakedge.site import Site


class AdapterSlots:
    """The adapters of one student. Iterates over the names of those that are active.

    Changes are atomic: each makes another state, and a call keeps the snapshots that it began with.
    A change waits for the one before it, and no call waits for a change.

    Args:
        manifest: The student's manifest.
        running: Returns what prepares new parts; raises if the student cannot be used.
        snapshot: The parts that were loaded, assembled.
        admit: Raises if a snapshot must not run.
        original: Reads an adapter of the student's own file again.
        trials: What tries exchanges on images.
        site: What the site allows, and where it keeps its log.
    """

    def __init__(
        self,
        manifest: Manifest,
        running: Callable[[], Preparer],
        snapshot: Snapshot,
        admit: Callable[[Snapshot], None],
        original: Callable[[str], PartSource],
        trials: Trials,
        site: Site,
    ) -> None:
        self._manifest = manifest
        self._running = running
        self._admit = admit
        self._supply = Supply(manifest, running, original, site)
        licenses = {adapter.name: adapter.license for adapter in manifest.adapters}
        loaded = State(Lineup.of(snapshot, licenses), snapshot)
        self._exchanger = Exchanger(loaded, manifest.adapter_names, running, admit, trials, site)
        self._site = site

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all slots, in expert order."""
        return self._exchanger.state.lineup.slots

    @property
    def active(self) -> tuple[str, ...]:
        """The adapters that are loaded now, in expert order."""
        return self.snapshot().active

    @property
    def changes(self) -> dict[str, Change]:
        """What was exchanged or removed since the student was loaded, by name."""
        return self._exchanger.history.changes

    def list(self) -> tuple[LoadedAdapter, ...]:
        """Every adapter that a call may name: the active ones, then the versions beside them."""
        self._running()
        lineup = self._exchanger.state.lineup
        active = [lineup.active[slot] for slot in lineup.slots if slot in lineup.active]
        beside = [each for each in lineup.beside.values() if each not in active]
        return (
            *(LoadedAdapter.of(version, True) for version in active),
            *(LoadedAdapter.of(version, False) for version in beside),
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self.active)

    def __len__(self) -> int:
        return len(self.active)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self.active

    def __repr__(self) -> str:
        return f"AdapterSlots({', '.join(self.names)})"

    def snapshot(self) -> Snapshot:
        """Every part of the student as it is now."""
        snapshot = self._exchanger.state.snapshot
        self._running()  # asked after: of a student that is closed meanwhile it is empty
        return snapshot

    def swap(
        self,
        name: str,
        pack: str | os.PathLike[str],
        *,
        any_stem: bool = False,
        teacher: str | None = None,
        golden: object = None,
        watch: object = None,
    ) -> PartPack:
        """Puts the adapter of a pack in the slot `name`, whether it is empty or not.

        Args:
            name: One of `names`, or with a label, as `sam@line3`, a version that lies beside. The
                pack's own name may differ.
            pack: Path of an adapter pack.
            any_stem: Also accept a pack that was trained on another stem of the same sizes.
            teacher: The teacher that the adapter must have been distilled from, exactly as the pack
                names it; None is the teacher that the student's file states for the slot. To put
                another teacher's adapter there is to name that teacher.
            golden: A folder of golden images, see docs/canary.md: they are run with what is active
                and with what would be, and the exchange takes place only if that is good.
            watch: A `sakedge.Watch`, or True for its defaults: after the exchange live images are
                watched, and what was there is put back if they go wrong.

        Returns:
            The pack.

        Raises:
            UnknownAdapterError: The student has no slot of that name; `add` makes one.
            FileFormatError, StorageError: The pack cannot be used; the subclass says why, e.g.
                `AdapterMismatchError` for that of another student or teacher. The student is
                unchanged.
            AdapterRejectedError: The golden images went wrong. The student is unchanged.
            TrustError, PolicyError: The site does not admit the pack, its licence or the user.
            OptionError: An argument is of another type.
            BackendError: The backend cannot run the student with it. The student is unchanged.
            UnverifiedError: The file records no quality with it, and `config["unverified"]` is
                `refuse`. The student is unchanged.
        """
        self._begin("swap")
        if teacher is not None and not isinstance(teacher, str):
            raise OptionError("a teacher is given by name", expected="a string", got=shown(teacher))
        flag("any_stem", any_stem)
        slot, _ = split_name(name)
        pick("adapter", slot, self.names, UnknownAdapterError)
        with self._refusing("swap", name):
            found, path = self._supply.read(pack)
            place = self._supply.place(name, self._exchanger.state.lineup, teacher)
            change = Change("pack", path, found.manifest.digest, any_stem, teacher)
            self._put("swap", found, place, change, golden, watch)
        return found

    def add(
        self,
        pack: str | os.PathLike[str],
        name: str | None = None,
        *,
        any_stem: bool = False,
        golden: object = None,
        watch: object = None,
    ) -> PartPack:
        """Adds the adapter of a pack where there is none yet.

        That is a teacher that the student has not seen, whose pack brings columns for the routers:
        the student grows by an expert, and tasks without a column stay as they are, bit by bit. Or
        an empty slot. Or, with a label, a version beside the active one, which runs where a call
        names it: `student(image, adapters=["sam@line3"])`.

        Args:
            pack: Path of an adapter pack.
            name: Its name in the student, maybe with a label; None is the pack's own.
            any_stem: As for `swap`.
            golden: As for `swap`; a version beside is tried in the place of the active one.
            watch: As for `swap`.

        Returns:
            The pack.

        Raises:
            AdapterMismatchError: There is one of that name already; or as for `swap`.
            AbilityError: The model that runs the student holds one version of each adapter only.
            SakedgeError: As for `swap`.
        """
        self._begin("swap")
        flag("any_stem", any_stem)
        if name is not None:
            split_name(name)
        with self._refusing("add", name or ""):
            found, path = self._supply.read(pack)
            lineup = self._exchanger.state.lineup
            place = self._supply.place(name or found.manifest.name, lineup)
            if lineup.version(place.name) is not None:
                raise AdapterMismatchError(
                    f"there is an adapter {place.name} already",
                    expected="another name, or one with a label, as sam@line3",
                    remedy=f"Replace it with swap({place.name!r}, …)",
                )
            change = Change("pack", path, found.manifest.digest, any_stem)
            self._put("add", found, place, change, golden, watch)
        return found

    def activate(self, name: str, *, golden: object = None, watch: object = None) -> None:
        """Makes a version that lies beside, as `sam@line3`, the active one of its slot.

        It is ready, so the exchange takes no time; it can still be named with its label.

        Raises:
            UnknownAdapterError: No such version lies beside.
            SakedgeError: As for `swap`.
        """
        self._begin("swap")
        split_name(name)
        beside = self._exchanger.state.lineup.beside
        (name,) = pick("version beside", (name,), tuple(beside), UnknownAdapterError)
        version = beside[name]
        edit = partial(Lineup.activating, version=version)
        with self._refusing("swap", version.slot):
            self._exchanger.exchange(
                "swap",
                version.slot,
                version.change,
                edit,
                edit,
                golden,
                watch,
            )

    def remove(self, name: str) -> None:
        """Removes an adapter; its weights are freed when the last call that uses them ends.

        The slot of one that the student's file has stays, empty. One that was added goes as a
        whole, and routers are what they were before it.

        Raises:
            UnknownAdapterError: The student has no adapter of that name.
            BackendError: The backend cannot run the student without it. The student is unchanged.
            UnverifiedError: As for `swap`.
        """
        self._begin("swap")
        lineup = self._exchanger.state.lineup
        _, label = split_name(name)
        there = lineup.beside if label else lineup.slots
        pick("adapter", (name,), tuple(there), UnknownAdapterError)
        edit = partial(Lineup.lacking, name=name)
        with self._refusing("remove", name):
            self._exchanger.exchange("remove", name, REMOVED, edit, edit)

    def restore(self, name: str) -> None:
        """Puts the adapter of the student's own file back; of another name it is `remove`.

        Raises:
            UnknownAdapterError: The student has no adapter of that name.
            DigestError: The file is no longer the one that was loaded.
            SakedgeError: As for `swap`.
        """
        split_name(name)
        if name in self._manifest.adapter_names:
            self._begin("swap")
            self._redo("swap", name, FROM_FILE)
        else:
            self.remove(name)

    def rollback(self, name: str) -> Change:
        """Puts back what was there before the last change of an adapter; again, before that one.

        Packs are read again from where they were, and must be the same.

        Returns:
            What is there now.

        Raises:
            UnknownAdapterError: Nothing of that name was changed.
            DigestError: A file is no longer the one that was there.
            SakedgeError: As for `swap`.
        """
        self._begin("rollback")
        split_name(name)
        history = self._exchanger.history
        pick("adapter that was changed", (name,), history.names, UnknownAdapterError)
        change = history.before(name)
        self._redo("rollback", name, change)
        return change

    def replay(self, changes: Mapping[str, Change]) -> None:
        """Applies the changes of another student of the same file, all at once.

        Raises:
            DigestError: A pack is no longer the one that was swapped in.
        """
        lineup = self._exchanger.state.lineup
        for name, change in changes.items():
            lineup = self._supply.edit(name, change, lineup)(lineup)
        if changes:
            self._exchanger.replace_all(lineup, changes)

    def choose(
        self, adapters: Names | Sequence[Names], images: int, tasks: tuple[str, ...]
    ) -> Sequence[Snapshot]:
        """The snapshot for each image of a call: the current one, narrowed.

        Args:
            adapters: None for all that are active, names for all images, or per image either.
            images: How many images there are.
            tasks: The tasks wanted, in the order of the results.

        Raises:
            UnknownAdapterError: An adapter that is not active.
            OptionError: The number of choices is not that of the images.
            UnverifiedError: What would run may not, as for `swap`.
        """
        state = self._exchanger.state
        preparer = self._running()  # asked after: of a student that is closed it is empty
        return [self._admitted(each) for each in state.choose(adapters, images, tasks, preparer)]

    def close(self) -> None:
        """Releases the weights, and those of a change in progress when it ends."""
        self._exchanger.close()

    def _admitted(self, snapshot: Snapshot) -> Snapshot:
        self._admit(snapshot)
        return snapshot

    def _begin(self, action: Literal["swap", "rollback"]) -> None:
        self._running()
        self._site.allow(action)

    @contextmanager
    def _refusing(self, action: Verb, name: str) -> Iterator[None]:
        """Records what the student refused. What the site refused, it has recorded itself."""
        try:
            yield
        except (TrustError, PolicyError):
            raise
        except SakedgeError as error:
            detail = {"action": action, "error": type(error).__name__, "reason": str(error)}
            self._site.record("refuse", subject=f"adapters.{name}", result="refused", detail=detail)
            raise

    def _put(
        self,
        action: Verb,
        pack: PartPack,
        place: Place,
        change: Change,
        golden: object,
        watch: object,
    ) -> None:
        """Puts a version in its place."""
        if place.label:
            require(self._running(), "versions")
            if watch is not None and watch is not False:
                raise OptionError(
                    f"{place.name} lies beside the active one, which live images run",
                    expected="watch=None",
                    got=shown(watch),
                    remedy="Watch when it is activated",
                )
        version = self._supply.version(pack, place, change, self._exchanger.state.lineup)
        self._exchanger.exchange(
            action,
            place.name,
            change,
            partial(Lineup.having, version=version),
            partial(Lineup.activating, version=version),
            golden,
            watch,
        )

    def _redo(self, action: Verb, name: str, change: Change) -> None:
        with self._refusing(action, name):
            edit = self._supply.edit(name, change, self._exchanger.state.lineup)
            self._exchanger.exchange(action, name, change, edit, edit)
