"""A pack as a part for one of a student's slots."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from sakedge.adapters.snapshot import PartId, PartSource
from sakedge.errors import AdapterMismatchError
from sakedge.format import Manifest, PartPack


def pack_source(
    pack: PartPack,
    slot: str,
    student: Manifest,
    *,
    any_stem: bool = False,
    teacher: str | None = None,
) -> PartSource:
    """Checks that an adapter pack fits a student, and renames it to the slot that it goes to.

    Args:
        pack: The pack.
        slot: Name of the slot.
        student: The student's manifest.
        any_stem: Also accept a pack that was trained on another stem of the same sizes.
        teacher: The teacher that its adapter must have; None is the slot's.

    Raises:
        AdapterMismatchError: It holds no adapter, was made for another student, was distilled from
            another teacher, or contains router columns.
    """
    manifest = pack.manifest
    if manifest.kind != "adapter":
        raise AdapterMismatchError(
            f"{manifest.name} is not an adapter pack",
            expected="an adapter pack",
            got=f"a {manifest.kind} pack",
        )
    pack.check_fits(student, any_stem=any_stem)
    wanted = teacher
    if wanted is None:
        wanted = next(adapter.teacher for adapter in student.adapters if adapter.name == slot)
    if manifest.teacher != wanted:
        raise AdapterMismatchError(
            f"adapter {manifest.name} does not go to {slot}: it was distilled from another teacher",
            expected=f"teacher {wanted!r}",
            got=f"teacher {manifest.teacher!r}",
            remedy=f"Choose the slot of that teacher, or accept it by teacher={manifest.teacher!r}",
        )
    if manifest.routed_tasks:
        raise AdapterMismatchError(
            f"adapter {manifest.name} contains router columns for a new teacher",
            expected="a pack for one of the student's own teachers",
            got=f"columns for {', '.join(manifest.routed_tasks)}",
        )
    tensors = _renamed(pack, slot)
    identity = PartId("adapter", slot, manifest.digest, manifest.version, manifest.teacher or "")
    return PartSource(identity, lambda: tensors)


def _renamed(pack: PartPack, name: str) -> dict[str, NDArray[Any]]:
    """The pack's tensors under the name of the slot that they go to."""
    renamed = {}
    for key, tensor in pack.tensors.items():
        parts = key.split(".")
        at = 1 if parts[0] == "tsap" else 2  # tsap.<name>.…, norms.<level>.<name>.…
        assert parts[at] == pack.manifest.name
        parts[at] = name
        renamed[".".join(parts)] = tensor
    return renamed
