"""Where everything lies in a store, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sakedge.files.names import legal_stem

SUFFIX = ".json"
_ROOM = 200
"""Bytes of a version in the name of its file."""


@dataclass(frozen=True)
class Layout:
    """The paths in a store.

    ```
    store.json                      makes the folder a store, and says of which format
    active.json                     what is active: the truth, and replaced by one renaming
    history/00000012.json           the states before it, by generation
    versions/sam/2026-11.json       a version that was added, and where its pack lies
    packs/<SHA-256>/sam.safetensors the pack as it came, under its own name,
    packs/<SHA-256>/sam.safetensors.dsse.json  and its envelope, if it had one
    running/4711-….json             what a process that follows the store runs
    lock                            held by the one who writes
    ```
    """

    folder: Path

    @property
    def marker(self) -> Path:
        """Of the format."""
        return self.folder / "store.json"

    @property
    def active(self) -> Path:
        """Of the state."""
        return self.folder / "active.json"

    @property
    def lock(self) -> Path:
        """Of the writer."""
        return self.folder / "lock"

    @property
    def history(self) -> Path:
        """Folder of the states before."""
        return self.folder / "history"

    @property
    def versions(self) -> Path:
        """Folder of a folder of versions for each adapter."""
        return self.folder / "versions"

    @property
    def packs(self) -> Path:
        """Folder of a folder for each pack."""
        return self.folder / "packs"

    @property
    def running(self) -> Path:
        """Folder of what is run."""
        return self.folder / "running"

    @property
    def folders(self) -> tuple[Path, ...]:
        """All folders in it."""
        return self.history, self.versions, self.packs, self.running

    def state(self, generation: int) -> Path:
        """File of an earlier state."""
        return self.history / f"{generation:08}{SUFFIX}"

    def version(self, name: str, version: str) -> Path:
        """File of a version; two versions may share one where their names are not legal."""
        return self.versions / name / f"{legal_stem(version, _ROOM)}{SUFFIX}"

    def pack(self, digest: str) -> Path:
        """Folder of a pack."""
        return self.packs / digest
