"""`sakedge adapter pack`: one teacher's adapter of an official checkpoint becomes a pack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sakedge.cli.adapter.options import PackPrecision, Version
from sakedge.cli.adapter.shown import written
from sakedge.cli.options import Json
from sakedge.cli.output import progress_bar
from sakedge.cli.written import check_output
from sakedge.errors import BackendError


def pack(
    checkpoint: Annotated[Path, typer.Argument(help="Stage-2 checkpoint of the training.")],
    config: Annotated[Path, typer.Argument(help="The config.yml beside it.")],
    teacher: Annotated[
        str, typer.Option(metavar="NAME", help="The teacher, as the configuration names it.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="The pack to write (default: NAME.safetensors)."
        ),
    ] = None,
    student: Annotated[
        Path | None,
        typer.Option(
            metavar="STUDENT",
            help="The student that it is for. If it has not seen the teacher, the pack brings the "
            "router columns of the new expert.",
        ),
    ] = None,
    routers: Annotated[
        bool,
        typer.Option("--routers", help="Bring whole routers, as they were trained with it."),
    ] = False,
    precision: PackPrecision = None,
    version: Version = "",
    any_stem: Annotated[
        bool, typer.Option("--any-stem", help="Accept another stem than the student's.")
    ] = False,
    json: Json = False,
) -> None:
    """Make a pack of one teacher's adapter from an official checkpoint."""
    out = output or Path(f"{Path(teacher).name}.safetensors")
    check_output(out, [checkpoint, config, *([student] if student else [])])
    try:
        from sakedge.convert import pack_adapter
    except ImportError as error:
        raise BackendError(
            f"adapter pack needs more packages: {error}",
            remedy="pip install 'sakedge[convert]' on the machine where you convert",
        ) from error
    with progress_bar() as progress:
        made = pack_adapter(
            checkpoint,
            config,
            out,
            teacher=teacher,
            student=student,
            routers=routers,
            storage=precision or "fp32",
            version=version,
            any_stem=any_stem,
            progress=progress,
        )
    written(out, made.manifest, notes=made.notes, json=json)
