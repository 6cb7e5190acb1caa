"""A manifest's description of one task."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from sakedge.tasks.kinds import KINDS

# A name becomes a part of tensor names and of file names, hence the narrow alphabet.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Label = Annotated[str, Field(max_length=256)]
Color = tuple[
    Annotated[int, Field(ge=0, le=255)],
    Annotated[int, Field(ge=0, le=255)],
    Annotated[int, Field(ge=0, le=255)],
]


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"no kind of task is called {kind!r}, only {', '.join(KINDS)}")
    return kind


class TaskInfo(BaseModel):
    """One dense task. Unknown fields are kept, as everywhere in a manifest.

    Attributes:
        name: Name of the task, e.g. `semseg`.
        kind: How its logits are decoded, one of `KINDS`.
        classes: Output channels of the head.
        labels: One name per class, for `labels`.
        colors: One RGB colour per class, for `labels`.
        unit: Unit of a `scalar`, e.g. `m`.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    name: Name
    kind: Annotated[str, AfterValidator(_known)]
    classes: int = Field(ge=1, le=4096)
    labels: tuple[Label, ...] | None = Field(default=None, fail_fast=True)
    colors: tuple[Color, ...] | None = Field(default=None, fail_fast=True)
    unit: Label | None = None

    @model_validator(mode="after")
    def _channels_fit_the_kind(self) -> TaskInfo:
        channels = KINDS[self.kind].channels
        if channels is not None and self.classes != channels:
            raise ValueError(f"a {self.kind} task has {channels} channels, not {self.classes}")
        for what, given in (("labels", self.labels), ("colors", self.colors)):
            if given is not None and len(given) != self.classes:
                raise ValueError(f"{len(given)} {what} for {self.classes} classes")
        return self
