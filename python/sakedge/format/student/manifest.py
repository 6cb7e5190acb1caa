"""The manifest: what a student file holds, as JSON in its ONNX metadata.

`docs/format.md` describes the file. Everything a reader must know before it touches a weight
is here: tasks, adapters, sizes, pre-processing, precision, provenance and digests.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sakedge.tasks import Name, TaskInfo

FORMAT_VERSION = 1
"""Newest format version that this sakedge reads and the one that it writes."""
NO_DIGEST = "0" * 64
"""Stands for a digest that is not known yet. As long as one, so that it can be replaced."""
METADATA_KEY = "sakedge"
"""Key of the manifest in the ONNX file's `metadata_props`."""

Fit = Literal["pad", "letterbox", "tile"]

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AdapterInfo(_Part):
    """One adapter path. Its place in `Manifest.adapters` is its place among the experts.

    Attributes:
        name: Name by which it is loaded, e.g. `sam`.
        teacher: The teacher it was distilled from.
        license: SPDX expression or free text of the weights' licence.
        hidden: Width of the adapters' bottleneck (C/4 in the paper).
    """

    name: Name
    teacher: str
    license: str | None = None
    hidden: int = Field(ge=1, le=65536)


class Architecture(_Part):
    """Sizes of the network (docs/model.md, section 1).

    Attributes:
        width: Embedding width C.
        blocks: Number of ViT blocks D; the stem gives D + 1 outputs x0 … xD.
        heads: Attention heads.
        patch: Patch edge in pixels.
        mlp: Hidden width of the blocks' MLP.
        router: `mor` (a router per level and task) or `none` (plain sum).
    """

    width: int = Field(ge=1, le=8192)
    blocks: int = Field(ge=1, le=256)
    heads: int = Field(ge=1, le=256)
    patch: int = Field(ge=1, le=256)
    mlp: int = Field(ge=1, le=65536)
    router: Literal["mor", "none"]

    @model_validator(mode="after")
    def _widths_divide(self) -> Architecture:
        if self.width % 4 or self.width % self.heads:
            raise ValueError(f"width {self.width} is no multiple of 4 and of {self.heads} heads")
        if self.patch % 4:
            raise ValueError(f"patch {self.patch} is no multiple of 4")
        return self


class Preprocess(_Part):
    """How an RGB image in 0…1 becomes the input: `(image - mean) / std`, then fitted.

    Attributes:
        mean: Per channel, RGB.
        std: Per channel, RGB.
        fit: How an image of another size is fitted unless the caller says otherwise.
    """

    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    fit: Fit = "pad"

    @model_validator(mode="after")
    def _std_is_positive(self) -> Preprocess:
        if not all(s > 0 for s in self.std):
            raise ValueError(f"std must be positive, not {self.std}")
        return self


class Precision(_Part):
    """How the weights are stored. `int8` and its quality record come with quantised students."""

    weights: Literal["fp32", "fp16"]


class Provenance(_Part):
    """Where the student comes from.

    Attributes:
        tool: Tool and version that wrote the file.
        source_sha256: Digest of the checkpoint that was converted.
        license: Licence of the weights as a whole.
    """

    tool: str
    source_sha256: Digest | None = None
    license: str | None = None


class Manifest(_Part):
    """The whole manifest.

    Attributes:
        format_version: Version of the file format that the file needs.
        architecture: Sizes of the network.
        input_size: Height and width of the input in pixels.
        levels: Block indices after which routers and heads read.
        tasks: The tasks in order.
        adapters: The adapter paths in the order of the experts (the stem is expert 0).
        preprocess: How an image becomes the input.
        precision: How the weights are stored.
        provenance: Where the student comes from.
        digests: SHA-256 of each component: `stem`, `adapters.<name>`, `routers.<task>` (not
            without routers) and `heads.<task>`.
        graph_digest: SHA-256 of the graph's operators, inputs and outputs: what they compute is as
            much a part of the student as its weights are.
    """

    format_version: int = Field(default=FORMAT_VERSION, ge=1)
    architecture: Architecture
    input_size: tuple[Annotated[int, Field(ge=1, le=65536)], Annotated[int, Field(ge=1, le=65536)]]
    levels: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1, max_length=16)
    tasks: tuple[TaskInfo, ...] = Field(min_length=1, max_length=256)
    adapters: tuple[AdapterInfo, ...] = Field(max_length=256)
    preprocess: Preprocess = Preprocess()
    precision: Precision
    provenance: Provenance
    digests: dict[str, Digest]
    graph_digest: Digest = NO_DIGEST

    @classmethod
    def without_digests(cls, **parts: Any) -> Manifest:
        """A manifest for `write_student`, which computes the digests; validated like any other."""
        draft = cls.model_construct(**parts)
        return cls(**parts, digests=dict.fromkeys(draft.components, NO_DIGEST))

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
        routed = self.task_names if self.architecture.router == "mor" else ()
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
            raise ValueError(f"input size {self.input_size} is no multiple of the patch {patch}")
        if any(level >= self.architecture.blocks for level in self.levels) or list(
            self.levels
        ) != sorted(set(self.levels)):
            raise ValueError(f"levels {self.levels} are not ascending block indices")
        if set(self.digests) != set(self.components):
            wrong = sorted(set(self.digests) ^ set(self.components))
            raise ValueError(f"digests do not match the components: {', '.join(wrong)}")
        return self
