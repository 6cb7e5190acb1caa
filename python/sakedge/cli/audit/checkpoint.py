"""`sakedge audit checkpoint`: sign what the log is now."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sakedge.cli.audit.options import Log, log_folder
from sakedge.cli.options import SiteFolder
from sakedge.cli.output import put, say


def checkpoint(
    log: Log = None,
    *,
    key: Annotated[Path, typer.Option(metavar="KEY", help="The private key that signs.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder of this log's checkpoints (default: print)."),
    ] = None,
    origin: Annotated[
        str | None, typer.Option(help="The log's name (default: HOST/sakedge-audit).")
    ] = None,
    site: SiteFolder = None,
) -> None:
    """Sign the size and root of the log, to be kept where nobody who may write here can."""
    from sakedge.audit import AuditLog, write_checkpoint
    from sakedge.audit.segments import view
    from sakedge.trust.keys import PrivateKey

    folder = log_folder(log, site)
    view(folder)  # nothing is begun by a wrong path
    signed = AuditLog.open(folder).checkpoint(PrivateKey.read(key), origin=origin)
    if output is None:
        put(signed.removesuffix("\n"))
    else:
        say(f"written to {write_checkpoint(output, signed)}")
