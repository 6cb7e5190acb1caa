"""`sakedge audit export`: a copy of the log, for whoever may take it away."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sakedge.cli.audit.options import DEFAULT, Log
from sakedge.cli.output import remark, say


def export(
    to: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to: an empty folder.")],
    log: Log = DEFAULT,
) -> None:
    """Copy the log's files as they are, and its entries as a table for a spreadsheet."""
    from sakedge.audit import AuditLog
    from sakedge.audit.export import export as copy
    from sakedge.audit.segments import view
    from sakedge.errors import AuditError, StorageError

    view(log)  # nothing is begun by a wrong path
    try:
        AuditLog.open(log).append("export", subject=str(to.absolute()))
    except (AuditError, StorageError) as error:  # evidence is copied all the same
        remark(f"the copy is not recorded in the log: {error}")
    for path in copy(log, to):
        say(f"written to {path}")
