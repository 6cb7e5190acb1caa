"""`sakedge audit checkpoint`: sign what the log is now."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sakedge.cli.audit.options import DEFAULT, Log
from sakedge.cli.output import put, say


def checkpoint(
    log: Log = DEFAULT,
    *,
    key: Annotated[Path, typer.Option(metavar="KEY", help="The private key that signs.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder of this log's checkpoints (default: print)."),
    ] = None,
    origin: Annotated[
        str | None, typer.Option(help="The log's name (default: HOST/sakedge-audit).")
    ] = None,
) -> None:
    """Sign the size and root of the log, to be kept where nobody who may write here can."""
    from sakedge.audit import AuditLog, write_checkpoint
    from sakedge.audit.segments import view
    from sakedge.trust.keys import PrivateKey

    view(log)  # nothing is begun by a wrong path
    signed = AuditLog.open(log).checkpoint(PrivateKey.read(key), origin=origin)
    if output is None:
        put(signed.removesuffix("\n"))
    else:
        say(f"written to {write_checkpoint(output, signed)}")
