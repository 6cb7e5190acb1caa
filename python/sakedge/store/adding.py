"""Adds a pack: its file first, then the small file that makes it a version."""

from __future__ import annotations

from pathlib import Path

from sakedge.audit import whoami
from sakedge.errors import AdapterMismatchError, StoreError
from sakedge.files.atomic import make_folder
from sakedge.format import PartPack, read_pack_content
from sakedge.site import Site
from sakedge.store.entry import Entry, Version, entries_of
from sakedge.store.layout import Layout
from sakedge.store.packs import Incoming, put, take_back
from sakedge.store.schema import MOST_FILES, checked, names_in, now, write_record
from sakedge.store.state import State
from sakedge.tasks import Name
from sakedge.trust.dsse import SUFFIX as ENVELOPE

DIGITS = 12
"""Of a digest, where it has to stand for a version that the pack does not state."""


def add(
    layout: Layout,
    state: State,
    site: Site,
    pack: Incoming,
    name: str | None,
    version: str | None,
    golden: str | None,
) -> Entry:
    """Adds a pack, or finds it there. The caller holds the lock, and recovers if this raises.

    Raises:
        StoreError: Another pack is in the store as this version, or the store is full.
        SakedgeError: As for `Store.add`.
    """
    digest = pack.digest
    file = _file_there(layout, digest) or pack.file
    if len(names_in(layout.packs)) >= MOST_FILES:
        raise StoreError("the store is full", remedy="Remove old versions: `sakedge adapter gc`")
    before = put(layout, pack, digest, file)
    try:
        found = _admitted(site, layout.pack(digest) / file, pack.file)
        new = Version(
            name=checked(Name, "a slot", name) if name is not None else found.manifest.name,
            version=version or found.manifest.version or digest[:DIGITS],
            digest=digest,
            tensors=found.manifest.digest,
            file=file,
            size=len(pack.content),
            teacher=found.manifest.teacher or "",
            license=found.manifest.license,
            golden=golden,
            added=now(),
            by=whoami(),
            generation=state.generation,
        )
        return _entered(layout, state, new)
    except BaseException:
        take_back(before)
        raise


def _file_there(layout: Layout, digest: str) -> str | None:
    """The name of a pack that is in the store already, under whatever name it came first."""
    packs = (name for name in names_in(layout.pack(digest)) if not name.endswith(ENVELOPE))
    return next(packs, None)


def _admitted(site: Site, path: Path, name: str) -> PartPack:
    """What is in a pack, once the site has said that it may be looked at."""
    found = read_pack_content(site.admit(path, "pack").content, name)
    if found.manifest.kind != "adapter":
        raise AdapterMismatchError(
            f"{name} is not an adapter pack",
            expected="an adapter pack",
            got=f"a {found.manifest.kind} pack",
        )
    site.check_license(found.manifest.license, name)
    return found


def _entered(layout: Layout, state: State, new: Version) -> Entry:
    """The version of a pack, made unless there is one."""
    path = layout.version(new.name, new.version)
    for there in entries_of(layout, state, new.name):
        if there.digest == new.digest:
            return there
        if layout.version(there.name, there.version) == path:
            raise StoreError(
                f"another pack is in the store as {new.name} {there.version}",
                expected=f"SHA-256 {there.digest}",
                got=new.digest,
                remedy="Give this one another version",
            )
    make_folder(path.parent)
    write_record(path, new)
    return Entry(**new.model_dump())
