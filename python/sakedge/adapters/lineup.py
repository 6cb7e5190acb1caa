"""Which adapters are in a student: the active ones, and the versions that lie beside them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from sakedge.adapters.gates import fitted
from sakedge.adapters.preparer import Preparer
from sakedge.adapters.snapshot import Part, Snapshot
from sakedge.adapters.versions import Version
from sakedge.errors import AdapterMismatchError, OptionError


@dataclass(frozen=True)
class Lineup:
    """The adapters of a student. Immutable: a change makes another.

    Attributes:
        file: The student's own parts but its adapters; its slots are those of the file.
        grown: Slots that the file does not have, in the order in which they came. They follow the
            file's among the experts.
        active: By slot, what a call runs that names no adapters.
        beside: By full name, versions that a call must name.
    """

    file: Snapshot
    grown: tuple[str, ...] = ()
    active: Mapping[str, Version] = field(default_factory=dict)
    beside: Mapping[str, Version] = field(default_factory=dict)

    @classmethod
    def of(cls, snapshot: Snapshot, licenses: Mapping[str, str | None]) -> Lineup:
        """The adapters of a student that was just loaded."""
        active = {
            name: Version(part, license=licenses.get(name))
            for name, part in snapshot.adapters.items()
        }
        return cls(replace(snapshot, adapters={}, assembled=None), active=active)

    @property
    def slots(self) -> tuple[str, ...]:
        """All slots, in expert order."""
        return (*self.file.slots, *self.grown)

    @property
    def names(self) -> tuple[str, ...]:
        """What a call may name: active slots in expert order, then the versions beside them."""
        return (*(slot for slot in self.slots if slot in self.active), *self.beside)

    def version(self, name: str) -> Version | None:
        """The active version of a slot, or the one of a full name."""
        return self.beside.get(name) or self.active.get(name)

    def having(self, version: Version) -> Lineup:
        """This one with a version in its place, which one may have been in before.

        One without a label becomes the active one of its slot.
        """
        labelled = bool(version.part.id.label)
        return self._with(
            self.active if labelled else {**self.active, version.slot: version},
            {**self.beside, version.name: version} if labelled else self.beside,
        )

    def activating(self, version: Version) -> Lineup:
        """This one with a version that lies beside, or did, as the active one of its slot."""
        return self._with({**self.active, version.slot: version}, self.beside)

    def lacking(self, name: str) -> Lineup:
        """This one without a version. A slot that only it had goes with it."""
        return self._with(_without(self.active, name), _without(self.beside, name))

    def choose(self, names: Collection[str]) -> dict[str, Version]:
        """The versions of some names, by slot.

        Raises:
            OptionError: Two of them go to the same slot.
        """
        chosen: dict[str, Version] = {}
        for name in names:
            version = self.version(name)
            assert version is not None, "names were checked"
            if version.slot in chosen:
                raise OptionError(
                    "a call can have one version of an adapter only",
                    expected=f"one of {chosen[version.slot].name} and {name}",
                    got="both",
                )
            chosen[version.slot] = version
        return chosen

    def compose(self, versions: Mapping[str, Version], preparer: Preparer) -> Snapshot:
        """The snapshot with some versions, by slot, not assembled.

        A router that came with an adapter is used where that adapter takes part.

        Raises:
            AdapterMismatchError: Two of them bring the router of one task.
        """
        routers = {task: self._router(task, versions, preparer) for task in self.file.routers}
        return replace(
            self.file,
            slots=self.slots,
            adapters={slot: versions[slot].part for slot in self.slots if slot in versions},
            routers=routers,
        )

    def _router(self, task: str, versions: Mapping[str, Version], preparer: Preparer) -> Part:
        bringing = [version for version in versions.values() if task in version.routers]
        if len(bringing) > 1:
            raise AdapterMismatchError(
                f"two adapters bring the router of task {task}",
                expected="one",
                got=" and ".join(version.name for version in bringing),
                remedy="Remove one of them first",
            )
        router = bringing[0].routers[task] if bringing else self.file.routers[task]
        columns = {
            slot: version.columns[task]
            for slot, version in versions.items()
            if task in version.columns
        }
        found = fitted(router, self.slots, columns)
        return router if found is None else found.part(preparer.prepare(found.source))

    def _with(self, active: Mapping[str, Version], beside: Mapping[str, Version]) -> Lineup:
        slots = dict.fromkeys(
            [*self.grown, *active, *(version.slot for version in beside.values())]
        )
        there = {*active, *(version.slot for version in beside.values())}
        grown = tuple(slot for slot in slots if slot in there and slot not in self.file.slots)
        return replace(self, grown=grown, active=active, beside=beside)


def _without(versions: Mapping[str, Version], name: str) -> dict[str, Version]:
    return {key: version for key, version in versions.items() if key != name}
