"""The manifest: what a student file holds, as JSON in its ONNX metadata.

Everything a reader must know before it touches a weight is here: tasks, adapters, sizes,
pre-processing, storage, provenance, quality and digests. `docs/format.md` describes it.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from sakedge.format.parse import Schema
from sakedge.format.schema import NO_DIGEST, Digest, Levels, OpenModel, Requires
from sakedge.format.student.int8 import stem_layers
from sakedge.format.student.parts import (
    AdapterInfo,
    Architecture,
    Preprocess,
    Provenance,
    Storage,
)
from sakedge.format.student.quality import QualityEntry
from sakedge.format.student.upgrade import from_version_1
from sakedge.tasks import TaskInfo

STUDENT_VERSION: Literal[2] = 2
"""Newest format version of a student that this sakedge reads, and the one that it writes."""
INT8: Literal["int8"] = "int8"
"""Required by a student with int8 weights: a sakedge without them would misread it."""
STUDENT_FEATURES: frozenset[str] = frozenset({INT8})
"""Features that a student may require."""


class Manifest(OpenModel):
    """The whole manifest. One that was read from an older file is of the newest version too.

    Attributes:
        format_version: Version of the manifest's fields.
        requires: Features without which the file must not be read.
        architecture: Sizes of the network.
        input_size: Height and width of the input in pixels.
        levels: Block indices after which routers and heads read.
        tasks: The tasks in order.
        adapters: The adapter paths in the order of the experts (the stem is expert 0).
        preprocess: How an image becomes the input.
        storage: How the weights are stored.
        provenance: Where the student comes from.
        stem_lineage: Digest of the float32 stem that the stem was derived from; a float32 stem's
            own. Packs are matched by it, whatever the stem is stored as.
        quality: What was measured.
        digests: SHA-256 of each component: `stem`, `adapters.<name>`, `routers.<task>` (absent
            without routers) and `heads.<task>`.
        graph_digest: SHA-256 of the graph's operators, inputs and outputs: what they compute is as
            much a part of the student as its weights are.
    """

    format_version: Literal[2] = STUDENT_VERSION
    requires: Requires = ()
    architecture: Architecture
    input_size: tuple[Annotated[int, Field(ge=1, le=65536)], Annotated[int, Field(ge=1, le=65536)]]
    levels: Levels
    tasks: tuple[TaskInfo, ...] = Field(min_length=1, max_length=256, fail_fast=True)
    adapters: tuple[AdapterInfo, ...] = Field(max_length=256, fail_fast=True)
    preprocess: Preprocess = Preprocess()
    storage: Storage
    provenance: Provenance
    stem_lineage: Digest
    quality: tuple[QualityEntry, ...] = Field(default=(), max_length=1024, fail_fast=True)
    digests: dict[str, Digest]
    graph_digest: Digest = NO_DIGEST

    @classmethod
    def without_digests(cls, **parts: Any) -> Manifest:
        """A manifest for `write_student`, which computes the digests; validated like any other.

        `stem_lineage` may be given; a stem that is not stored as float32 needs it. What int8
        weights require is added.
        """
        if parts["storage"].has_int8 and INT8 not in parts.get("requires", ()):
            parts["requires"] = (*parts.get("requires", ()), INT8)
        draft = cls.model_construct(**parts)
        digests = dict.fromkeys(draft.components, NO_DIGEST)
        return cls(**{"stem_lineage": NO_DIGEST, **parts}, digests=digests)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the patch-token grid."""
        patch = self.architecture.patch
        return self.input_size[0] // patch, self.input_size[1] // patch

    @property
    def task_names(self) -> tuple[str, ...]:
        """Names of the tasks in order."""
        return tuple(task.name for task in self.tasks)

    @property
    def adapter_names(self) -> tuple[str, ...]:
        """Names of the adapters in expert order."""
        return tuple(adapter.name for adapter in self.adapters)

    @property
    def components(self) -> tuple[str, ...]:
        """Every component that carries a digest, in the order of the file."""
        routed = self.task_names if self.architecture.is_routed else ()
        return (
            "stem",
            *(f"adapters.{name}" for name in self.adapter_names),
            *(f"routers.{name}" for name in routed),
            *(f"heads.{name}" for name in self.task_names),
        )

    @model_validator(mode="after")
    def _parts_agree(self) -> Manifest:
        for what, names in (("task", self.task_names), ("adapter", self.adapter_names)):
            if len(set(names)) != len(names):
                raise ValueError(f"two {what}s share a name: {', '.join(names)}")
        # A task is an output of the graph; these names are taken by its input and the stem.
        taken = [name for name in self.task_names if re.fullmatch(r"image|x\d+", name)]
        if taken:
            raise ValueError(f"a task cannot be called {taken[0]}")
        patch = self.architecture.patch
        if any(side % patch for side in self.input_size):
            raise ValueError(f"input size {self.input_size} is not a multiple of the patch {patch}")
        if any(level >= self.architecture.blocks for level in self.levels) or list(
            self.levels
        ) != sorted(set(self.levels)):
            raise ValueError(f"levels {self.levels} are not ascending block indices")
        return self

    @model_validator(mode="after")
    def _storage_agrees(self) -> Manifest:
        if self.storage.has_int8 != (INT8 in self.requires):
            raise ValueError("'int8' is required where, and only where, weights are stored as int8")
        unknown = {*self.storage.floats} - {*self.components, *stem_layers(self.architecture)}
        if unknown:
            raise ValueError(f"storage.floats names {min(unknown)!r}, which is no part of it")
        return self

    @model_validator(mode="after")
    def _digests_agree(self) -> Manifest:
        if set(self.digests) != set(self.components):
            wrong = sorted(set(self.digests) ^ set(self.components))
            raise ValueError(f"digests do not match the components: {', '.join(wrong)}")
        if self.storage.stem == "fp32" and self.stem_lineage != self.digests["stem"]:
            raise ValueError("the lineage of a float32 stem is not the stem's own digest")
        return self


STUDENT = Schema(Manifest, STUDENT_VERSION, STUDENT_FEATURES, {1: from_version_1})
