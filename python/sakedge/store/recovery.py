"""Removes what is not needed: what dead writers left, and what nobody goes back to."""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import islice

from sakedge.errors import SakedgeError
from sakedge.files import temporary
from sakedge.store.entry import Entry, entries
from sakedge.store.layout import Layout
from sakedge.store.packs import discard
from sakedge.store.schema import names_in, remove
from sakedge.store.state import KEPT, State, earlier, forget

_DIGEST = re.compile(r"[0-9a-f]{64}")


def recover(layout: Layout, state: State) -> None:
    """Removes all that belongs to no version and no state, as far as that is possible.

    A store that is read-only, or damaged so that nobody can tell what is needed, keeps it: it can
    be read all the same. The caller holds the lock.
    """
    for step in (_sweep, _forget, _discard_unused):
        with suppress(SakedgeError):
            step(layout, state)


def _sweep(layout: Layout, state: State) -> None:
    """Removes temporary files of the dead, what dead followers said, and empty folders."""
    for folder in (layout.folder, *layout.folders):
        temporary.sweep(folder)
    for inner in (layout.versions, layout.packs):
        for name in names_in(inner):
            temporary.sweep(inner / name)
            with suppress(OSError):  # it is not empty
                (inner / name).rmdir()
    for name in names_in(layout.running):
        temporary.remove_unused(layout.running / name)


def _forget(layout: Layout, state: State) -> None:
    forget(layout, state, KEPT)


def _discard_unused(layout: Layout, state: State) -> None:
    """Removes packs that no version is of and no state names.

    Raises:
        StorageError: They cannot be removed.
        StoreError, NewerFormatError: A version or a state is damaged; nothing is removed.
    """
    needed = {each.digest for each in entries(layout, state)}
    for each in (state, *earlier(layout, state)):
        needed.update(each.active.values())
    there = (name for name in names_in(layout.packs) if _DIGEST.fullmatch(name))
    discard(layout, [digest for digest in there if digest not in needed])


def collect(layout: Layout, state: State, keep: int) -> tuple[Entry, ...]:
    """Removes the versions that `keep` steps back do not need, and all that led to them.

    Each step leaves a store in which nothing that is named is missing: first go the states, then
    the versions that none of the others names, then the packs that no version is of.

    Raises:
        StorageError: Something cannot be removed.
        StoreError, NewerFormatError: A version or a state is damaged; nothing is removed.
    """
    kept = (state, *islice(earlier(layout, state), keep))
    needed = {digest for each in kept for digest in each.active.values()}
    gone = tuple(
        each
        for each in entries(layout, state)
        if each.digest not in needed and each.generation < kept[-1].generation
    )
    forget(layout, state, keep)
    for each in gone:
        remove([layout.version(each.name, each.version)])
    _discard_unused(layout, state)
    _sweep(layout, state)
    return gone
