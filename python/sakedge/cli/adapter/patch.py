"""`sakedge adapter patch`: the new file of the old one and a delta."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sakedge.cli.adapter.shown import delta_facts
from sakedge.cli.options import Json
from sakedge.cli.output import print_json, progress_bar, say
from sakedge.cli.written import check_output


def patch(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The file that the delta is for.")],
    delta: Annotated[Path, typer.Argument(metavar="DELTA", help="A .sakdelta.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The file to write (default: as its maker named it, in this folder).",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Make the new file of an old one and a delta; a delta for another file is refused."""
    from sakedge.files.mapped import MappedFile
    from sakedge.format.delta import patch_file, read_info

    # Its name is checked: it leads to no other folder.
    out = output or Path(read_info(MappedFile(delta).data, delta.name).name)
    check_output(out, [old, delta])
    with progress_bar("patching"):
        info = patch_file(old, delta, out)
    if json:
        print_json({"path": str(out), **delta_facts(info)})
    else:
        say(f"{out}: {info.new.bytes / 1e6:.2f} MB, SHA-256 {info.new.sha256}")
