"""Removes from a repository what it lists no longer."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from sakedge.trust.tuf.names import METADATA, TARGETS, metadata_name, target_path
from sakedge.trust.tuf.targets import read_targets
from sakedge.trust.tuf.trusted import MetadataSet

_OURS = {
    METADATA: re.compile(r"\d+\.(snapshot|targets)\.json"),  # roots are a chain, and stay
    TARGETS: re.compile(r"[0-9a-f]{64}\..+"),
}


def remove_unlisted(folder: Path, current: MetadataSet) -> None:
    """Removes older lists, and files that were revoked or replaced, as far as that is possible.

    Left behind they do no harm: no box takes them.
    """
    listed = {
        folder / METADATA / metadata_name(document.role, document.version)
        for document in current.documents
    }
    for target in read_targets(current.targets.signed).values():
        listed.add(folder.joinpath(*target_path(target.name, target.sha256)))
    for place, ours in _OURS.items():
        for path in (folder / place).rglob("*"):
            if ours.fullmatch(path.name) and path not in listed:
                with suppress(OSError):
                    path.unlink()
