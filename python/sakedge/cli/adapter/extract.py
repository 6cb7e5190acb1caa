"""`sakedge adapter extract`: a part of a student becomes a pack."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sakedge.cli.adapter.options import PackPrecision, Version
from sakedge.cli.adapter.shown import written
from sakedge.cli.options import Json, StudentPath
from sakedge.cli.written import check_output
from sakedge.errors import OptionError

if TYPE_CHECKING:
    from sakedge.format import PartKind


def extract(
    student: StudentPath,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The adapter, e.g. sam.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="The pack to write (default: NAME.safetensors)."
        ),
    ] = None,
    precision: PackPrecision = None,
    version: Version = "",
    router: Annotated[
        bool, typer.Option("--router", help="NAME is a task: extract its routers.")
    ] = False,
    head: Annotated[bool, typer.Option("--head", help="NAME is a task: extract its head.")] = False,
    json: Json = False,
) -> None:
    """Take an adapter out of a student as a pack, without rounding its weights again."""
    if router and head:
        raise OptionError("--router and --head are two parts", expected="one of them")
    kind: PartKind = "router" if router else "head" if head else "adapter"
    from sakedge.format import COMPONENTS, StudentFile, extract_part, write_pack

    with StudentFile.open(student) as file:
        part = extract_part(file, f"{COMPONENTS[kind]}.{name}", version=version, storage=precision)
        # The name is one of the student's now, and so one that a file may have.
        ending = ".safetensors" if kind == "adapter" else f".{kind}.safetensors"
        out = output or Path(f"{name}{ending}")
        check_output(out, [student, *file.files])
        manifest = write_pack(out, part.manifest, part.tensors)
    written(out, manifest, json=json)
