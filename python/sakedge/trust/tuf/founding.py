"""Makes a repository: keys, a root that names them, and an empty list."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from sakedge.errors import OptionError
from sakedge.files.atomic import atomic_write, make_folder
from sakedge.trust.library import needed
from sakedge.trust.tuf.names import METADATA, ROLES, TARGETS, Role
from sakedge.trust.tuf.role_keys import RoleKeys
from sakedge.trust.tuf.signing import meta_of, sign, write


def found(
    folder: Path, anchor: Path, role_keys: RoleKeys, days: Mapping[Role, int], now: datetime
) -> None:
    """Makes an empty repository, and keys where there are none yet.

    Args:
        folder: The repository.
        anchor: Where the root is kept that installations are provisioned with.
        role_keys: The keys.
        days: By role, for how many days it signs.
        now: The time of signing.

    Raises:
        OptionError: There is a repository already, or the keys belong to another.
        StorageError: It cannot be written.
    """
    with needed("making an update repository"):
        from tuf.api.metadata import Root, Snapshot, Targets, Timestamp
    metadata = folder / METADATA
    there = next(
        (path for path in (metadata / "1.root.json", anchor) if os.path.lexists(path)), None
    )
    if there is not None:
        raise OptionError(
            f"{there} is there already: a repository was made before",
            remedy="Choose other folders for the repository and its keys",
        )
    root = Root(consistent_snapshot=True)
    keys = {role: role_keys.make(role, 1) for role in ROLES}
    for role, key in keys.items():
        root.add_key(key.public.sslib(), role)
    targets = sign(Targets(), [keys["targets"]], now, days)
    named = Snapshot(meta={"targets.json": meta_of(targets)})
    snapshot = sign(named, [keys["snapshot"]], now, days)
    timestamp = sign(Timestamp(snapshot_meta=meta_of(snapshot)), [keys["timestamp"]], now, days)
    signed_root = sign(root, [keys["root"]], now, days)
    make_folder(metadata)
    make_folder(folder / TARGETS)
    for document in (targets, snapshot, timestamp, signed_root):
        write(metadata, document)
    with atomic_write(anchor) as file:
        file.write(signed_root.content)
