"""The exchangeable parts of a student, and the snapshot of them that a call sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.format import COMPONENTS, PartKind, StudentFile
from sakedge.tasks import TaskInfo


@dataclass(frozen=True)
class PartId:
    """Identifies a part in results, audits and roll-backs.

    Attributes:
        kind: `adapter`, `router` or `head`.
        name: Of the adapter, or of the task.
        digest: SHA-256 of its tensors.
        version: Free text from the maker of a pack; empty for a part of the student's own file.
        teacher: Of an adapter: what it was distilled from.
        label: Of an adapter that lies beside the active one of its slot: what tells them apart.
    """

    kind: PartKind
    name: str
    digest: str
    version: str = ""
    teacher: str = ""
    label: str = ""

    @property
    def full_name(self) -> str:
        """Name by which a call asks for it, e.g. `sam` or `sam@line3`."""
        return f"{self.name}@{self.label}" if self.label else self.name

    @property
    def component(self) -> str:
        """Its full name, e.g. `adapters.sam`."""
        return f"{COMPONENTS[self.kind]}.{self.name}"


@dataclass(frozen=True)
class PartSource:
    """A part as a model prepares it.

    Attributes:
        id: Its identity.
        tensors: Reads its tensors, by canonical name under `id.name`.
        task: For a head, what it computes.
        experts: For a router, the adapters that it weighs, in the order of its gate's columns.
        base: For a router that shares the hidden layers of another: that one, prepared. Then
            `tensors` are those of its gate.
    """

    id: PartId
    tensors: Callable[[], Mapping[str, NDArray[Any]]]
    task: TaskInfo | None = None
    experts: tuple[str, ...] = ()
    base: object = None


@dataclass(frozen=True)
class Gate:
    """The last layer of a router.

    Attributes:
        experts: The adapters that it weighs, in the order of its columns; the stem is before them.
        tensors: By canonical name, float32: weight [R, 1 + T] and bias [1 + T] of each level.
    """

    experts: tuple[str, ...]
    tensors: Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Part:
    """A part that is ready to run.

    Attributes:
        id: Its identity.
        prepared: What the model made of it; opaque to everything else.
        task: For a head, what it computes.
        gate: For a router, its gate, which may be fitted to other experts.
    """

    id: PartId
    prepared: object
    task: TaskInfo | None = None
    gate: Gate | None = None


@dataclass(frozen=True)
class Snapshot:
    """Every exchangeable part that an image is run with. Immutable.

    A call takes one when it begins, and every image, tile and retry of it sees that one. Exchanging
    a part makes another snapshot; holding this one keeps its parts alive.

    Attributes:
        student: Content digest of the student's file.
        slots: Names of the adapters' slots, in expert order; expert 0 is the stem.
        adapters: By name, those that take part.
        routers: By task; empty where the student has no routers.
        heads: By task, in the order of the results.
        assembled: What the model made of all parts together, e.g. a compiled graph; opaque to
            everything else. It lives as long as the calls that use it.
    """

    student: str
    slots: tuple[str, ...]
    adapters: Mapping[str, Part] = field(default_factory=dict)
    routers: Mapping[str, Part] = field(default_factory=dict)
    heads: Mapping[str, Part] = field(default_factory=dict)
    assembled: object = None

    @property
    def experts(self) -> tuple[str, ...]:
        """Names of all experts, whether they take part or not."""
        return ("stem", *self.slots)

    @property
    def active(self) -> tuple[str, ...]:
        """Names of the adapters that take part, in expert order."""
        return tuple(name for name in self.slots if name in self.adapters)

    @property
    def full_names(self) -> tuple[str, ...]:
        """Names of the adapters that take part, each with its label."""
        return tuple(self.adapters[name].id.full_name for name in self.active)

    @property
    def tasks(self) -> tuple[TaskInfo, ...]:
        """The tasks, in the order of the results."""
        return tuple(part.task for part in self.heads.values() if part.task is not None)

    @property
    def parts(self) -> Iterator[Part]:
        """All parts."""
        yield from (self.adapters[name] for name in self.active)
        yield from self.routers.values()
        yield from self.heads.values()

    @property
    def ids(self) -> tuple[PartId, ...]:
        """Which parts these are, without their weights."""
        return tuple(part.id for part in self.parts)

    def having(self, part: Part) -> Snapshot:
        """This snapshot with one part added or replaced, not assembled."""
        placed = {part.id.name: part}
        if part.id.kind == "adapter":
            return replace(self, adapters={**self.adapters, **placed}, assembled=None)
        if part.id.kind == "router":
            return replace(self, routers={**self.routers, **placed}, assembled=None)
        return replace(self, heads={**self.heads, **placed}, assembled=None)

    def lacking(self, adapter: str) -> Snapshot:
        """This snapshot without an adapter, not assembled."""
        others = {name: part for name, part in self.adapters.items() if name != adapter}
        return replace(self, adapters=others, assembled=None)

    def narrowed(self, adapters: tuple[str, ...], tasks: tuple[str, ...]) -> Snapshot:
        """This snapshot with only these adapters and tasks, in the given order.

        It keeps what was assembled: of what, the model knows.
        """
        return replace(
            self,
            adapters={name: self.adapters[name] for name in self.active if name in adapters},
            routers={task: self.routers[task] for task in tasks if task in self.routers},
            heads={task: self.heads[task] for task in tasks},
        )


def sources(
    file: StudentFile, adapters: tuple[str, ...], tasks: tuple[str, ...]
) -> Iterator[PartSource]:
    """The parts of a student's file: its adapters and each task's head and routers."""
    manifest = file.manifest
    teachers = {adapter.name: adapter.teacher for adapter in manifest.adapters}
    infos = {task.name: task for task in manifest.tasks}

    def source(kind: PartKind, name: str) -> PartSource:
        component = f"{COMPONENTS[kind]}.{name}"
        return PartSource(
            PartId(kind, name, manifest.digests[component], teacher=teachers.get(name, "")),
            lambda: file.component(component),
            infos[name] if kind == "head" else None,
            manifest.adapter_names if kind == "router" else (),
        )

    for name in adapters:
        yield source("adapter", name)
    for task in tasks:
        if manifest.architecture.is_routed:
            yield source("router", task)
        yield source("head", task)
