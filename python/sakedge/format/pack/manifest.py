"""The manifest of a part pack, as JSON in its safetensors metadata."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sakedge.format.layout import Shapes, adapter_shapes, head_shapes, router_shapes
from sakedge.format.pack.upgrade import from_version_1
from sakedge.format.parse import Schema
from sakedge.format.schema import (
    NO_DIGEST,
    Digest,
    Levels,
    License,
    OpenModel,
    Positive,
    Requires,
    Text,
)
from sakedge.format.student.int8 import Dtypes, stored_tensors
from sakedge.format.student.manifest import INT8
from sakedge.format.student.parts import Architecture, Storage, Stored
from sakedge.tasks import Name, TaskInfo

PACK_VERSION: Literal[2] = 2
"""Newest format version of a pack that this sakedge reads, and the one that it writes."""
ROUTERS = "routers"
"""Required by an adapter that brings whole routers."""
PACK_FEATURES: frozenset[str] = frozenset({INT8, ROUTERS})
"""Features that a pack may require."""

Names = Annotated[tuple[Name, ...], Field(max_length=256, fail_fast=True)]
PartKind = Literal["adapter", "router", "head"]
COMPONENTS: dict[PartKind, str] = {"adapter": "adapters", "router": "routers", "head": "heads"}
"""Kind → first word of its components' names: `adapters.sam`, `routers.edge`, `heads.edge`."""

_OWN_FIELDS: dict[PartKind, tuple[str, ...]] = {
    "adapter": ("teacher", "hidden"),
    "router": (),
    "head": ("task",),
}


class PartManifest(OpenModel):
    """What a part is and which student it fits.

    Attributes:
        format_version: Version of the manifest's fields.
        requires: Features without which the file must not be read.
        kind: `adapter`, `router` or `head`.
        name: Name of the adapter; for a router or a head, of its task.
        version: Free text from the maker.
        license: Licence of the weights.
        architecture: Sizes of the student it was trained in.
        levels: That student's levels.
        stem_lineage: Digest of the float32 stem that it was trained on.
        digest: SHA-256 over the pack's tensors.
        storage: How its weights are stored, as a student's component; `requires` says `int8` where
            they are. None in older packs: float32, float16 or both.
        teacher: Of an adapter: the teacher it was distilled from.
        hidden: Of an adapter: width of the bottleneck.
        routed_tasks: Of an adapter: tasks whose routers get its expert from this pack; each has,
            per level, `mor.<level>.<task>.gate.{weight [R, 1], bias [1]}`.
        retrained_tasks: Of an adapter: tasks whose whole routers were trained with it, over
            `experts`; each has their tensors, and `requires` says `routers`.
        experts: Of a router, and of an adapter with retrained ones: the adapters that it weighs, in
            expert order (the stem is expert 0).
        task: Of a head: its task.
    """

    format_version: Literal[2] = PACK_VERSION
    requires: Requires = ()
    kind: PartKind
    name: Name
    version: Text = ""
    license: License | None = None
    architecture: Architecture
    levels: Levels
    stem_lineage: Digest
    digest: Digest = NO_DIGEST
    storage: Stored | None = None
    teacher: Text | None = None
    hidden: Positive | None = None
    routed_tasks: Names = ()
    retrained_tasks: Names = ()
    experts: Names | None = None
    task: TaskInfo | None = None

    @property
    def component(self) -> str:
        """The component of a student that it is, e.g. `adapters.sam`."""
        return f"{COMPONENTS[self.kind]}.{self.name}"

    def shapes(self) -> Shapes:
        """The part's tensors, without those that come with int8."""
        arch, levels = self.architecture, self.levels
        if self.kind == "router":
            return router_shapes(arch, levels, self.name, self._router_width)
        if self.task is not None:
            return head_shapes(arch, levels, self.name, self.task.classes)
        assert self.hidden is not None, "an adapter has it"
        shapes = adapter_shapes(arch, levels, self.name, self.hidden)
        for task in self.routed_tasks:
            for level in levels:
                gate = f"mor.{level}.{task}.gate"
                shapes |= {f"{gate}.weight": (arch.width // 2, 1), f"{gate}.bias": (1,)}
        for task in self.retrained_tasks:
            shapes |= router_shapes(arch, levels, task, self._router_width)
        return shapes

    def stored(self) -> Dtypes:
        """The pack's tensors as stored: NumPy dtype and shape of each, ascending by name.

        Where no storage is stated, a tensor that is said to be float32 may be float16 too.
        """
        return stored_tensors(
            self.component, self.shapes(), Storage.uniform(self.storage or "fp32")
        )

    @property
    def _router_width(self) -> int:
        """Experts of its routers, the stem among them."""
        assert self.experts is not None, "whatever has routers has it"
        return 1 + len(self.experts)

    @model_validator(mode="after")
    def _fields_are_those_of_its_kind(self) -> PartManifest:
        for kind, fields in _OWN_FIELDS.items():
            for field in fields:
                if (getattr(self, field) is not None) != (kind == self.kind):
                    problem = "needs" if kind == self.kind else "cannot have"
                    raise ValueError(f"a pack of kind {self.kind} {problem} {field!r}")
        for field in ("routed_tasks", "retrained_tasks"):
            if getattr(self, field) and self.kind != "adapter":
                raise ValueError(f"a pack of kind {self.kind} cannot have {field!r}")
        has_routers = self.kind == "router" or bool(self.retrained_tasks)
        if (self.experts is not None) != has_routers:
            problem = "needs" if has_routers else "cannot have"
            raise ValueError(f"a pack of kind {self.kind} {problem} 'experts'")
        if self.retrained_tasks and ROUTERS not in self.requires:
            raise ValueError("a pack with 'retrained_tasks' requires 'routers'")
        if (self.storage == INT8) != (INT8 in self.requires):
            raise ValueError("'int8' is required where, and only where, weights are stored as int8")
        if set(self.routed_tasks) & set(self.retrained_tasks):
            raise ValueError("a task is in 'routed_tasks' and in 'retrained_tasks'")
        if self.retrained_tasks and self.name not in (self.experts or ()):
            raise ValueError(f"'experts' do not name {self.name} itself")
        if self.task is not None and self.task.name != self.name:
            raise ValueError(f"head {self.name} is for task {self.task.name}")
        return self


PACK = Schema(PartManifest, PACK_VERSION, PACK_FEATURES, {1: from_version_1})
