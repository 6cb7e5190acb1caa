"""A pack as a part for a student's place."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from sakedge.adapters.snapshot import PartId, PartSource
from sakedge.errors import AdapterMismatchError
from sakedge.format import Manifest, PartPack


def pack_source(
    pack: PartPack, place: str, student: Manifest, *, any_stem: bool = False
) -> PartSource:
    """Checks that an adapter pack fits a student, and gives it the name of the place it goes to.

    Args:
        pack: The pack.
        place: Name of an adapter's place.
        student: The student's manifest.
        any_stem: Also take a pack that was trained on another stem of the same sizes.

    Raises:
        AdapterMismatchError: It is no adapter's, was made for another student, or brings rows of
            routers.
    """
    manifest = pack.manifest
    if manifest.kind != "adapter":
        raise AdapterMismatchError(
            f"{manifest.name} is a pack of another kind",
            expected="a pack of an adapter",
            got=f"one of a {manifest.kind}",
        )
    pack.check_fits(student, any_stem=any_stem)
    if manifest.routed_tasks:
        raise AdapterMismatchError(
            f"adapter {manifest.name} brings router rows for a new teacher",
            expected="a pack for one of the teachers that the student's routers know",
            got=f"rows for {', '.join(manifest.routed_tasks)}",
        )
    tensors = _renamed(pack, place)
    identity = PartId("adapter", place, manifest.digest, manifest.version, manifest.teacher or "")
    return PartSource(identity, lambda: tensors)


def _renamed(pack: PartPack, name: str) -> dict[str, NDArray[Any]]:
    """The pack's tensors under the name of the place that they go to."""
    renamed = {}
    for key, tensor in pack.tensors.items():
        parts = key.split(".")
        at = 1 if parts[0] == "tsap" else 2  # tsap.<name>.…, norms.<level>.<name>.…
        assert parts[at] == pack.manifest.name
        parts[at] = name
        renamed[".".join(parts)] = tensor
    return renamed
