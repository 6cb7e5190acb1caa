"""A pack as a version of an adapter for one of a student's slots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from sakedge.adapters.gates import Column
from sakedge.adapters.lineup import Lineup
from sakedge.adapters.preparer import Preparer, prepared_part
from sakedge.adapters.snapshot import PartId, PartSource
from sakedge.adapters.versions import Change, Version
from sakedge.errors import AdapterMismatchError
from sakedge.format import Manifest, PartPack
from sakedge.format.digest import component_digest


@dataclass(frozen=True)
class Place:
    """Where an adapter goes.

    Attributes:
        slot: Name of the slot.
        label: Tells it from the active one of the slot; empty for that one.
        teacher: The teacher that it must have been distilled from; None allows any.
    """

    slot: str
    label: str
    teacher: str | None

    @property
    def name(self) -> str:
        """The slot, and the label if there is one."""
        return f"{self.slot}@{self.label}" if self.label else self.slot


def prepare_pack(
    pack: PartPack,
    place: Place,
    change: Change,
    student: Manifest,
    lineup: Lineup,
    preparer: Preparer,
) -> Version:
    """Checks that an adapter pack fits a student, and prepares all that it brings.

    Args:
        pack: The pack.
        place: Where it goes.
        change: How it came.
        student: The student's manifest.
        lineup: The adapters that are there.
        preparer: What prepares parts.

    Raises:
        AdapterMismatchError: It holds no adapter, was made for another student, was distilled from
            another teacher, or no router would weigh it.
    """
    manifest = pack.manifest
    if manifest.kind != "adapter":
        raise AdapterMismatchError(
            f"{manifest.name} is not an adapter pack",
            expected="an adapter pack",
            got=f"a {manifest.kind} pack",
        )
    pack.check_fits(student, any_stem=change.any_stem)
    if place.teacher is not None and manifest.teacher != place.teacher:
        raise AdapterMismatchError(
            f"adapter {manifest.name} does not go to {place.name}: it was distilled from another "
            "teacher",
            expected=f"teacher {place.teacher!r}",
            got=f"teacher {manifest.teacher!r}",
            remedy=f"Choose the slot of that teacher, or accept it by teacher={manifest.teacher!r}",
        )
    _check_routers(pack, place, student, lineup)
    loaded = lineup.file.routers
    identity = PartId(
        *("adapter", place.slot, manifest.digest, manifest.version, manifest.teacher or ""),
        label=place.label,
    )
    path = PartSource(identity, lambda: _path(pack, place.slot))
    return Version(
        prepared_part(preparer, path),
        change,
        manifest.license,
        {task: _column(pack, task) for task in manifest.routed_tasks if task in loaded},
        {
            task: prepared_part(preparer, _router(pack, task, place.slot))
            for task in manifest.retrained_tasks
            if task in loaded
        },
    )


def _check_routers(pack: PartPack, place: Place, student: Manifest, lineup: Lineup) -> None:
    """Checks what it brings for routers: some of this student's, and enough of a new expert."""
    manifest = pack.manifest
    tasks = (*manifest.routed_tasks, *manifest.retrained_tasks)
    if tasks and not student.architecture.is_routed:
        raise AdapterMismatchError(
            f"adapter {manifest.name} brings routers, and this student has none",
            expected="a pack without them",
            got=f"routers for {', '.join(tasks)}",
        )
    unknown = [task for task in tasks if task not in student.task_names]
    if unknown:
        raise AdapterMismatchError(
            f"adapter {manifest.name} brings routers for tasks that the student does not have",
            expected=f"some of {', '.join(student.task_names)}",
            got=", ".join(unknown),
        )
    is_new = place.slot not in lineup.slots
    if is_new and not tasks:
        remedy = "Get the pack with its routers' columns"
        if not student.architecture.is_routed:
            remedy = "A student without routers adds up its own experts, and cannot grow"
        raise AdapterMismatchError(
            f"no router would weigh {place.slot}, which the student has not seen",
            expected="a pack with a column for at least one task's router",
            got="none",
            remedy=remedy,
        )


def _path(pack: PartPack, slot: str) -> dict[str, NDArray[Any]]:
    """The adapter's own tensors under the name of the slot that they go to."""
    renamed = {}
    for key, tensor in pack.tensors.items():
        parts = key.split(".")
        if parts[0] == "mor":
            continue
        at = 1 if parts[0] == "tsap" else 2  # tsap.<name>.…, norms.<level>.<name>.…
        assert parts[at] == pack.manifest.name
        parts[at] = slot
        renamed[".".join(parts)] = tensor
    return renamed


def _of_router(pack: PartPack, task: str) -> Mapping[str, NDArray[Any]]:
    levels = pack.manifest.levels
    prefixes = tuple(f"mor.{level}.{task}." for level in levels)
    return {key: tensor for key, tensor in pack.tensors.items() if key.startswith(prefixes)}


def _column(pack: PartPack, task: str) -> Column:
    """Copied: it is small, and outlives the pack."""
    return {key: tensor.copy() for key, tensor in _of_router(pack, task).items()}


def _router(pack: PartPack, task: str, slot: str) -> PartSource:
    """A retrained router; its experts go by the names of this student's slots."""
    manifest = pack.manifest
    assert manifest.experts is not None, "the manifest has them where it has routers"
    experts = tuple(slot if name == manifest.name else name for name in manifest.experts)
    tensors = _of_router(pack, task)
    identity = PartId("router", task, component_digest(tensors), manifest.version)
    return PartSource(identity, lambda: tensors, experts=experts)
