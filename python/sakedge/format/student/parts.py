"""The parts of a student's manifest: sizes, adapters, pre-processing, storage, provenance."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sakedge.format.schema import Digest, License, OpenModel, Text
from sakedge.tasks import Name

Fit = Literal["pad", "letterbox", "tile"]
Stored = Literal["fp32", "fp16", "int8"]

Storable = Annotated[str, Field(min_length=1, max_length=256)]
"""A component, e.g. `heads.edge`, or a layer of the stem, e.g. `stem.blocks.3.mlp.fc2`."""


class AdapterInfo(OpenModel):
    """One adapter path. Its position in `Manifest.adapters` is its position among the experts.

    Attributes:
        name: Name by which it is loaded, e.g. `sam`.
        teacher: The teacher it was distilled from.
        license: SPDX expression or free text of the weights' licence.
        hidden: Width of the adapters' bottleneck (C/4 in the paper).
    """

    name: Name
    teacher: Text
    license: License | None = None
    hidden: int = Field(ge=1, le=65536)


class Architecture(OpenModel):
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

    @property
    def is_routed(self) -> bool:
        """Whether experts are weighed by routers rather than added up."""
        return self.router == "mor"

    @model_validator(mode="after")
    def _widths_divide(self) -> Architecture:
        if self.width % 4 or self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of 4 and of {self.heads} heads")
        if self.patch % 4:
            raise ValueError(f"patch {self.patch} is not a multiple of 4")
        return self


class Preprocess(OpenModel):
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
    def _scale_and_shift_are_float32(self) -> Preprocess:
        # Wider than any normalisation of values in 0…1.
        if not all(1e-6 <= std <= 1e6 for std in self.std):
            raise ValueError(f"std must be positive, from 1e-6 to 1e6, not {self.std}")
        if not all(abs(mean) <= 1e6 for mean in self.mean):
            raise ValueError(f"mean must lie between -1e6 and 1e6, not {self.mean}")
        return self


class Storage(OpenModel):
    """How the weights of each group of components are stored.

    `int8` is said of matrix products alone (`int8.py`); the other tensors of such a component are
    float32.

    Attributes:
        stem: The stem's.
        adapters: The adapter paths'.
        routers: The routers'.
        heads: The heads'.
        floats: What is stored as fp32 although its group is int8, because it lost too much:
            components, and layers of the stem.
    """

    stem: Stored
    adapters: Stored
    routers: Stored
    heads: Stored
    floats: tuple[Storable, ...] = Field(default=(), max_length=4096, fail_fast=True)

    @classmethod
    def uniform(cls, stored: Stored) -> Storage:
        """All groups alike."""
        return cls(stem=stored, adapters=stored, routers=stored, heads=stored)

    def of(self, component: str) -> Stored:
        """How a component is stored, e.g. `stem` or `adapters.sam`."""
        stored: Stored = getattr(self, component.partition(".")[0])
        return "fp32" if stored == "int8" and component in self.floats else stored

    @property
    def has_int8(self) -> bool:
        """Whether any group is int8."""
        return "int8" in [getattr(self, group) for group in GROUPS]

    def __str__(self) -> str:
        groups = {name: getattr(self, name) for name in GROUPS}
        text = ", ".join(f"{name} {stored}" for name, stored in groups.items())
        text = str(self.stem) if len(set(groups.values())) == 1 else text
        return f"{text}; {len(self.floats)} in fp32" if self.floats else text


GROUPS = ("stem", "adapters", "routers", "heads")
"""The groups of components that are stored alike, unless `Storage.floats` says otherwise."""


class Provenance(OpenModel):
    """Where the student comes from.

    Attributes:
        tool: Tool and version that wrote the file.
        source_sha256: Digest of the checkpoint that was converted.
        license: Licence of the weights as a whole.
    """

    tool: Text
    source_sha256: Digest | None = None
    license: License | None = None
