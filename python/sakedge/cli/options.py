"""Options that several verbs share, under the names that other tools use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

StudentPath: TypeAlias = Annotated[
    Path, typer.Argument(metavar="STUDENT", help="A student.onnx.", show_default=False)
]
Adapters: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="A,B", help="Adapters to load (default: all); `none` is the stem alone."),
]
Tasks: TypeAlias = Annotated[
    str | None, typer.Option(metavar="A,B", help="Tasks to run (default: all).")
]
Backend: TypeAlias = Annotated[
    str, typer.Option(help="Runtime by name (`sakedge doctor` lists them), or auto.")
]
Device: TypeAlias = Annotated[
    str | None,
    typer.Option("--device", "-d", help="The backend's device, e.g. GPU (default: its own)."),
]
Precision: TypeAlias = Annotated[
    str, typer.Option(help="Precision: auto, fp32, bf16, fp16 or int8.")
]
Threads: TypeAlias = Annotated[
    int | None,
    typer.Option(help="Threads of stem and decoder (default: affinity and cgroup quota)."),
]
CacheDir: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Where compiled graphs are kept (default: SAKEDGE_CACHE), or `off`."),
]
SiteFolder: TypeAlias = Annotated[
    Path | None,
    typer.Option("--site", metavar="DIR", help="The site's folder (default: /etc/sakedge)."),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, for a script.")]


def names(text: str | None) -> list[str] | None:
    """`a,b` → names; None stays None, which is all; `none` or an empty string is no name."""
    if text is None:
        return None
    given = [name.strip() for name in text.split(",") if name.strip()]
    return [] if given == ["none"] else given
