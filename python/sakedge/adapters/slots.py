"""The adapters of a loaded student: its slots, which are active, exchanging them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from sakedge.adapters.packs import pack_source
from sakedge.adapters.preparer import Preparer
from sakedge.adapters.snapshot import Part, Snapshot
from sakedge.arguments import pick
from sakedge.errors import DigestError, OptionError, UnknownAdapterError, shown
from sakedge.files.paths import absolute_path
from sakedge.format import Manifest, PartPack, read_pack
from sakedge.logs import LOG

Names: TypeAlias = "str | Sequence[str] | None"


@dataclass(frozen=True)
class Change:
    """What was put in a slot after loading.

    Attributes:
        pack: Path of the pack; None if the adapter was removed.
        digest: SHA-256 of the pack's tensors.
        any_stem: Whether a pack of another stem was allowed.
        teacher: The teacher that was allowed by name, in place of the slot's.
    """

    pack: str | None = None
    digest: str = ""
    any_stem: bool = False
    teacher: str | None = None


class AdapterSlots:
    """The adapters of one student. Iterates over the names of those that are active.

    Changes are atomic: each makes another snapshot, and a call keeps the one that it began with.
    A change waits for the one before it, and no call waits for a change.

    Args:
        manifest: The student's manifest.
        running: Returns what prepares new parts; raises if the student cannot be used.
        snapshot: The parts that were loaded, assembled.
        admit: Raises if a snapshot must not run.
    """

    def __init__(
        self,
        manifest: Manifest,
        running: Callable[[], Preparer],
        snapshot: Snapshot,
        admit: Callable[[Snapshot], None],
    ) -> None:
        self._manifest = manifest
        self._running = running
        self._snapshot = snapshot
        self._admit = admit
        self._changing = threading.Lock()  # held while a change is assembled
        self._exchanging = threading.Lock()  # held for a moment, so that none comes after `close`
        self._changes: dict[str, Change] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all slots, in expert order."""
        return self._manifest.adapter_names

    @property
    def active(self) -> tuple[str, ...]:
        """The adapters that are loaded now, in expert order."""
        return self.snapshot().active

    @property
    def changes(self) -> dict[str, Change]:
        """What was exchanged or removed since the student was loaded, by name."""
        return dict(self._changes)

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
        snapshot = self._snapshot
        self._running()  # asked after: of a student that is closed meanwhile it is empty
        return snapshot

    def swap(
        self,
        name: str,
        pack: str | os.PathLike[str],
        *,
        any_stem: bool = False,
        teacher: str | None = None,
    ) -> PartPack:
        """Puts the adapter of a pack in the slot `name`, whether it is empty or not.

        Args:
            name: One of `names`. The pack's own name may differ.
            pack: Path of an adapter pack.
            any_stem: Also accept a pack that was trained on another stem of the same sizes.
            teacher: The teacher that the adapter must have been distilled from, exactly as the pack
                names it; None is the teacher that the student's file states for the slot. To put
                another teacher's adapter there is to name that teacher.

        Returns:
            The pack.

        Raises:
            UnknownAdapterError: The student has no slot of that name.
            FileFormatError, StorageError: The pack cannot be used; the subclass says why, e.g.
                `AdapterMismatchError` for that of another student or teacher. The student is
                unchanged.
            OptionError: An argument is of another type.
            BackendError: The backend cannot run the student with it. The student is unchanged.
            UnverifiedError: The file records no quality with it, and `config["unverified"]` is
                `refuse`. The student is unchanged.
        """
        self._running()
        self._check_slot(name)
        if teacher is not None and not isinstance(teacher, str):
            raise OptionError("a teacher is given by name", expected="a string", got=shown(teacher))
        path = str(absolute_path("a pack", pack))
        found = read_pack(path)
        change = Change(path, found.manifest.digest, any_stem, teacher)
        self._exchange({name: change}, {name: self._prepared(found, name, change)})
        return found

    def remove(self, name: str) -> None:
        """Empties a slot; the adapter's weights are freed when the last call that uses them ends.

        Raises:
            UnknownAdapterError: The student has no slot of that name.
            BackendError: The backend cannot run the student without it. The student is unchanged.
            UnverifiedError: As for `swap`.
        """
        self._running()
        self._check_slot(name)
        self._exchange({name: Change()}, {name: None})

    def replay(self, changes: Mapping[str, Change]) -> None:
        """Applies the changes of another student of the same file, all at once.

        Raises:
            DigestError: A pack is no longer the one that was swapped in.
        """
        parts: dict[str, Part | None] = {}
        for name, change in changes.items():
            parts[name] = None
            if change.pack is None:
                continue
            found = read_pack(change.pack)
            if found.manifest.digest != change.digest:
                raise DigestError(
                    f"the pack {change.pack} is not the one that was swapped in",
                    expected=f"SHA-256 {change.digest}",
                    got=found.manifest.digest,
                )
            parts[name] = self._prepared(found, name, change)
        if parts:
            self._exchange(changes, parts)

    def choose(
        self, adapters: Names | Sequence[Names], images: int, tasks: tuple[str, ...]
    ) -> list[Snapshot]:
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
        snapshot = self.snapshot()
        if (
            adapters is None
            or isinstance(adapters, str)
            or not isinstance(adapters, Sequence)
            or all(isinstance(name, str) for name in adapters)
        ):
            return [self._narrowed(snapshot, adapters, tasks)] * images  # type: ignore[arg-type]
        if len(adapters) != images:
            raise OptionError(
                "adapters do not fit the images",
                expected=f"names for all images, or {images} choices, one per image",
                got=f"{len(adapters)} choices",
            )
        return [self._narrowed(snapshot, one, tasks) for one in adapters]

    def close(self) -> None:
        """Releases the weights, and those of a change in progress when it ends."""
        with self._exchanging:
            self._snapshot = Snapshot(self._snapshot.student, ())

    def _check_slot(self, name: str) -> None:
        if not isinstance(name, str):
            raise OptionError("an adapter is given by name", expected="a string", got=shown(name))
        pick("adapter", name, self.names, UnknownAdapterError)

    def _narrowed(self, snapshot: Snapshot, wanted: Names, tasks: tuple[str, ...]) -> Snapshot:
        some = pick(
            "adapter",
            wanted,
            snapshot.active,
            UnknownAdapterError,
            "Choose from the adapters listed, load the student with the adapter, or swap it in",
        )
        narrowed = snapshot.narrowed(some, tasks)
        self._admit(narrowed)
        return narrowed

    def _prepared(self, pack: PartPack, name: str, change: Change) -> Part:
        source = pack_source(
            pack, name, self._manifest, any_stem=change.any_stem, teacher=change.teacher
        )
        return Part(source.id, self._running().prepare(source))

    def _exchange(self, changes: Mapping[str, Change], parts: Mapping[str, Part | None]) -> None:
        """Puts parts in their slots, and nothing where None is given."""
        with self._changing:
            preparer, snapshot = self._running(), self._snapshot
            for name, part in parts.items():
                snapshot = snapshot.lacking(name) if part is None else snapshot.having(part)
            self._admit(snapshot)
            snapshot = replace(snapshot, assembled=preparer.assemble(snapshot))
            with self._exchanging:
                self._running()  # or else it was closed meanwhile
                self._snapshot = snapshot
                self._changes.update(changes)
        for name, change in changes.items():
            if change.pack is None:
                LOG.info("adapter %s was removed", name)
            else:
                LOG.info("adapter %s is now %s (%s)", name, change.pack, change.digest[:16])
