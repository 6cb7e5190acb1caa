"""What the manifests of students and packs share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

METADATA_KEY = "sakedge"
"""Key of the manifest in a file's metadata, ONNX and safetensors alike."""
EXPORT_KEY = "sakedge.export"
"""Key of the description in the metadata of an exported graph, which is no student any more."""
NO_DIGEST = "0" * 64
"""Stands for a digest that is not known yet. As long as one, so that it can be replaced."""

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Positive = Annotated[int, Field(ge=1, le=65536)]
LONGEST_TEXT = 256
Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
"""A line of free text, such as a version."""
License = Annotated[str, Field(max_length=1 << 16)]
"""An SPDX expression, or a licence's whole text."""
# A list stops at its first error: a long list of errors costs more than the file.
Levels = Annotated[
    tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1, max_length=16, fail_fast=True)
]
Requires = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=64)], ...],
    Field(max_length=64, fail_fast=True),
]


class OpenModel(BaseModel):
    """An immutable model that keeps unknown fields.

    What a newer sakedge states survives reading and writing by an older one, and stays under the
    digests. What an older one must not ignore, the newer one lists under `requires`.
    """

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)


def first_problem(error: ValidationError) -> str:
    """The first thing that is wrong with a model's fields, and where: one line, no value quoted."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else str(first["msg"])
