"""`sakedge audit export`: a copy of the log, for whoever may take it away."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sakedge.cli.audit.options import Log, log_folder
from sakedge.cli.options import SiteFolder
from sakedge.cli.output import remark, say


def export(
    to: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to: an empty folder.")],
    log: Log = None,
    site: SiteFolder = None,
) -> None:
    """Copy the log's files as they are, and its entries as a table for a spreadsheet."""
    from sakedge.audit import AuditLog
    from sakedge.audit.export import export as copy
    from sakedge.errors import AuditError, StorageError

    folder = log_folder(log, site)
    for path in copy(folder, to):
        say(f"written to {path}")
    try:
        AuditLog.open(folder).append("export", subject=str(to.absolute()))
    except (AuditError, StorageError) as error:  # of a copy, or a medium that is read-only
        remark(f"that is not recorded in the log: {error}")
