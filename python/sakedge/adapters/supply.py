"""Where versions of adapters come from: packs that the site admits, and the student's own file."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

from sakedge.adapters.exchanger import Edit
from sakedge.adapters.lineup import Lineup
from sakedge.adapters.packs import Place, prepare_pack
from sakedge.adapters.preparer import Preparer, prepared_part
from sakedge.adapters.snapshot import PartSource
from sakedge.adapters.versions import FROM_FILE, Change, Version, split_name
from sakedge.errors import DigestError
from sakedge.files.paths import absolute_path
from sakedge.format import Manifest, PartPack, read_pack_content
from sakedge.site import Site


class Supply:
    """Reads and prepares what goes into a student's slots.

    Args:
        manifest: The student's manifest.
        running: Returns what prepares parts; raises if the student cannot be used.
        original: Reads an adapter of the student's own file again.
        site: What packs it admits, and under what licences.
    """

    def __init__(
        self,
        manifest: Manifest,
        running: Callable[[], Preparer],
        original: Callable[[str], PartSource],
        site: Site,
    ) -> None:
        self._manifest = manifest
        self._running = running
        self._original = original
        self._site = site

    def read(self, pack: str | os.PathLike[str], *, again: bool = False) -> tuple[PartPack, str]:
        """Reads a pack, and gives its path too.

        Args:
            pack: Its path.
            again: Whether it was admitted here before.

        Raises:
            TrustError, PolicyError: The site does not admit it, or its licence.
            FileFormatError, StorageError, OptionError: It cannot be used.
        """
        path = absolute_path("a pack", pack)
        admitted = self._site.admit(path, "pack", installed=again)
        found = read_pack_content(admitted.content, path.name)
        self._site.check_license(found.manifest.license, f"adapter {found.manifest.name}")
        return found, str(path)

    def place(self, name: str, lineup: Lineup, teacher: str | None = None) -> Place:
        """The place of that name.

        Args:
            name: A slot, maybe with a label.
            lineup: What is there.
            teacher: The teacher that is allowed there. None is the one that the student's file
                states for the slot; of a slot that was added, that of its adapter.
        """
        slot, label = split_name(name)
        if teacher is None:
            stated = (each.teacher for each in self._manifest.adapters if each.name == slot)
            there = lineup.active.get(slot)
            teacher = next(stated, None if there is None else there.part.id.teacher)
        return Place(slot, label, teacher)

    def version(self, pack: PartPack, place: Place, change: Change, lineup: Lineup) -> Version:
        """A pack's adapter, ready to run in a place; see `prepare_pack`."""
        return prepare_pack(pack, place, change, self._manifest, lineup, self._running())

    def edit(self, name: str, change: Change, lineup: Lineup) -> Edit:
        """What makes a change again; reads and prepares what it takes.

        Raises:
            DigestError: A pack, or the student's file, is no longer the one that it was.
            SakedgeError: As for `read`.
        """
        if change.kind == "removed":
            return partial(Lineup.lacking, name=name)
        if change.kind == "file":
            licenses = {adapter.name: adapter.license for adapter in self._manifest.adapters}
            part = prepared_part(self._running(), self._original(name))
            own = Version(part, FROM_FILE, licenses[name])
            return partial(Lineup.having, version=own)
        found, _ = self.read(change.pack, again=True)
        if found.manifest.digest != change.digest:
            raise DigestError(
                f"the pack {change.pack} is not the one that was swapped in",
                expected=f"SHA-256 {change.digest}",
                got=found.manifest.digest,
            )
        place = self.place(name, lineup, change.teacher)
        return partial(Lineup.having, version=self.version(found, place, change, lineup))
