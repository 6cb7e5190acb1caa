"""The versions in a store: a small file for each, whose renaming adds it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from sakedge.errors import SakedgeError, StoreError
from sakedge.files.names import LONGEST, is_plain_name
from sakedge.format.schema import Digest, License, Text
from sakedge.store.layout import SUFFIX, Layout
from sakedge.store.schema import Generation, Moment, Record, find_record, names_in
from sakedge.store.state import State
from sakedge.tasks import Name
from sakedge.trust.dsse import SUFFIX as ENVELOPE

SHORTEST = 8
"""Digits of a digest that name a version."""


def _may_lie_in_the_store(name: str) -> str:
    fits = len(name.encode()) + len(ENVELOPE) <= LONGEST
    # A temporary file is hidden, and an envelope is no pack.
    if fits and is_plain_name(name) and not name.startswith(".") and not name.endswith(ENVELOPE):
        return name
    raise ValueError("no pack in the store can have this name")


FileName = Annotated[str, AfterValidator(_may_lie_in_the_store)]


class Version(Record):
    """A version of an adapter, as its file holds it.

    Attributes:
        name: The adapter's slot.
        version: Which version: as the pack says, else as it was named when it was added.
        digest: SHA-256 of the pack's file, as it came.
        tensors: SHA-256 of its tensors, which results name.
        file: Name that the file came under.
        size: Its bytes.
        teacher: What the adapter was distilled from.
        license: Licence of its weights, as far as the pack says.
        golden: Folder of golden images that it is to be tried on before it runs.
        added: When it was added, by the device's clock, in UTC.
        by: Who added it.
        generation: Of the state at that time.
    """

    remedy: ClassVar[str] = "Remove this file and add the pack again"

    name: Name
    version: Annotated[Text, Field(min_length=1)]
    digest: Digest
    tensors: Digest
    file: FileName
    size: Annotated[int, Field(ge=0, le=1 << 40)]
    teacher: Text
    license: License | None = None
    golden: Annotated[str, Field(max_length=4096)] | None = None
    added: Moment
    by: Text
    generation: Generation

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Entry(Version):
    """A version in a store, and where it is active.

    Attributes:
        active: The names under which it is active: its slot, `slot@label`, or none.
    """

    active: tuple[str, ...] = ()


def entries(layout: Layout, state: State) -> Iterator[Entry]:
    """All versions, by adapter and version.

    Raises:
        StoreError, NewerFormatError: One is damaged.
    """
    for name in names_in(layout.versions):
        yield from entries_of(layout, state, name)


def entries_of(layout: Layout, state: State, name: str) -> Iterator[Entry]:
    """The versions of one adapter.

    Raises:
        StoreError, NewerFormatError: One is damaged.
    """
    for file in names_in(layout.versions / name):
        found = _read(layout, name, file)
        if found is not None:
            active = (at for at, digest in state.active.items() if digest == found.digest)
            places = tuple(at for at in active if slot(at) == name)
            yield Entry(**found.model_dump(), active=places)


def of_digest(layout: Layout, digest: str) -> Version:
    """The first version of a pack. Others that are damaged keep nobody from it.

    Raises:
        StoreError: There is none.
    """
    for name in names_in(layout.versions):
        for file in names_in(layout.versions / name):
            with suppress(SakedgeError):
                found = _read(layout, name, file)
                if found is not None and found.digest == digest:
                    return found
    raise StoreError(
        "the store does not have this pack",
        expected="the SHA-256 of one that is listed",
        got=digest[:64],
        remedy="Add it, or add it again",
    )


def _read(layout: Layout, name: str, file: str) -> Version | None:
    """A version; None if the file is no version's, or was collected just now."""
    path = layout.versions / name / file
    found = find_record(path, Version) if file.endswith(SUFFIX) else None
    if found is not None and (found.name, layout.version(name, found.version)) != (name, path):
        raise StoreError(f"{path} is damaged: it holds {found}", remedy=Version.remedy)
    return found


def find(layout: Layout, state: State, name: str, wanted: str) -> Entry:
    """A version of an adapter, by its version or by the first digits of its digest.

    Raises:
        StoreError: There is none, there are several, or one is damaged.
    """
    there = tuple(entries_of(layout, state, slot(name)))
    found = [each for each in there if each.version == wanted]
    if not found and len(wanted) >= SHORTEST:
        found = [each for each in there if each.digest.startswith(wanted)]
    if len(found) != 1:
        which = ", ".join(f"{each.version} ({each.digest[:SHORTEST]})" for each in there)
        raise StoreError(
            f"the store has {len(found) or 'no'} such version{'s' * (len(found) > 1)} of {name}",
            expected=f"one of {which or 'none'}",
            got=wanted,
            remedy="Add the pack, or give more digits of the digest",
        )
    return found[0]


def slot(name: str) -> str:
    """The slot of a name that may have a label."""
    return name.partition("@")[0]
