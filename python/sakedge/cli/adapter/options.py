"""Options that several verbs of `sakedge adapter` share."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import typer

PackPrecision: TypeAlias = Annotated[
    Literal["fp32", "fp16", "int8"] | None,
    typer.Option(help="How the weights are stored (default: as they are)."),
]
Version: TypeAlias = Annotated[
    str, typer.Option(metavar="TEXT", help="Version of the pack, any text of its maker.")
]
