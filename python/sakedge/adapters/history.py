"""What was exchanged in a student: to do it again elsewhere, and to undo it here."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sakedge.adapters.versions import Change

_MOST = 16
"""Changes of one adapter that can be rolled back."""


class History:
    """The changes of a student's adapters. Its owner sees to it that one at a time is noted."""

    def __init__(self) -> None:
        self._changes: dict[str, Change] = {}
        self._before: dict[str, tuple[Change, ...]] = {}

    @property
    def changes(self) -> dict[str, Change]:
        """What makes of the student as it was loaded what it is now, by name, in order."""
        return dict(self._changes)

    @property
    def names(self) -> tuple[str, ...]:
        """The adapters that can be rolled back."""
        return tuple(self._before)

    def before(self, name: str) -> Change:
        """What was there before the last change."""
        return self._before[name][-1]

    def add(self, name: str, previous: Change) -> None:
        """Notes what an adapter was before a change."""
        self._before[name] = (*self._before.get(name, ()), previous)[-_MOST:]

    def undone(self, name: str) -> None:
        """Forgets the last change of an adapter, which was undone."""
        left = self._before[name][:-1]
        if left:
            self._before[name] = left
        else:
            del self._before[name]

    def note(self, changes: Mapping[str, Change], own: Collection[str]) -> None:
        """Notes changes that were made.

        Args:
            changes: By name.
            own: Names of the adapters in the student's file. That another was removed need not be
                known: it is not there.
        """
        for name, change in changes.items():
            if change.kind == "removed" and name not in own:
                self._changes.pop(name, None)
            else:
                self._changes[name] = change
