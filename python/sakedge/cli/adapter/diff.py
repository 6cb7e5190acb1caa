"""`sakedge adapter diff`: the delta from one file to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sakedge.cli.adapter.shown import delta_facts, say_delta
from sakedge.cli.options import Json
from sakedge.cli.output import print_json, progress_bar
from sakedge.cli.written import check_output


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A pack or a student, as it was.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The same as it is now.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The delta to write.")
    ] = Path("update.sakdelta"),
    json: Json = False,
) -> None:
    """Make a delta: a small file that makes NEW of OLD, byte for byte."""
    check_output(output, [old, new])
    from sakedge.format.delta import diff as run

    with progress_bar("comparing"):
        info = run(old, new, output)
    if json:
        print_json({"path": str(output), **delta_facts(info)})
    else:
        say_delta(output, info)
