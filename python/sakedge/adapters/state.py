"""What is in a student at one time, and the snapshots that calls take of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from sakedge.adapters.lineup import Lineup
from sakedge.adapters.preparer import Preparer
from sakedge.adapters.snapshot import Snapshot
from sakedge.adapters.versions import split_name
from sakedge.arguments import pick
from sakedge.errors import OptionError, UnknownAdapterError

Names: TypeAlias = "str | Sequence[str] | None"

_MOST_SETS = 64
"""Sets of adapters that calls named, whose snapshots are kept; a line has a few."""


@dataclass(frozen=True)
class State:
    """What is in a student at one time; a change makes another.

    Attributes:
        lineup: Its adapters.
        snapshot: What a call runs that names none, assembled.
        sets: Snapshots of the other sets that calls have named.
    """

    lineup: Lineup
    snapshot: Snapshot
    sets: dict[frozenset[str], Snapshot] = field(default_factory=dict)

    def choose(
        self,
        adapters: Names | Sequence[Names],
        images: int,
        tasks: tuple[str, ...],
        preparer: Preparer,
    ) -> list[Snapshot]:
        """The snapshot for each image of a call; see `AdapterSlots.choose`."""
        if (
            adapters is None
            or isinstance(adapters, str)
            or not isinstance(adapters, Sequence)
            or all(isinstance(name, str) for name in adapters)
        ):
            one = self._narrowed(adapters, tasks, preparer)  # type: ignore[arg-type]
            return [one] * images
        if len(adapters) != images:
            raise OptionError(
                "adapters do not fit the images",
                expected=f"names for all images, or {images} choices, one per image",
                got=f"{len(adapters)} choices",
            )
        return [self._narrowed(one, tasks, preparer) for one in adapters]

    def _narrowed(self, wanted: Names, tasks: tuple[str, ...], preparer: Preparer) -> Snapshot:
        names = pick(
            "adapter",
            self.snapshot.active if wanted is None else wanted,
            self.lineup.names,
            UnknownAdapterError,
            "Choose from the adapters listed, load the student with the adapter, or swap it in",
        )
        slots = tuple(split_name(name)[0] for name in names)
        return self._having(frozenset(names), preparer).narrowed(slots, tasks)

    def _having(self, names: frozenset[str], preparer: Preparer) -> Snapshot:
        """A snapshot that has these adapters, and may have more."""
        lineup = self.lineup
        bringing = {slot for slot, version in lineup.active.items() if version.routers}
        # A model that holds one version of each part keeps the routers that it was assembled with.
        is_fixed = "versions" in preparer.cannot
        if names <= lineup.active.keys() and (bringing <= names or is_fixed):
            return self.snapshot
        found = self.sets.get(names)
        if found is None:
            composed = lineup.compose(lineup.choose(names), preparer)
            found = replace(composed, assembled=self.snapshot.assembled)
            if len(self.sets) >= _MOST_SETS:
                self.sets.clear()
            self.sets[names] = found
        return found
