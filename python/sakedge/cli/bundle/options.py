"""Options that several verbs of `sakedge bundle` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

TargetsFile: TypeAlias = Annotated[
    Path | None,
    typer.Option("--targets", metavar="FILE", help="Further targets, as docs/bundle.md says."),
]
