"""`sakedge adapter rollback`: one step back."""

from __future__ import annotations

from typing import Annotated

import typer

from sakedge.cli.adapter.stored import Reason, StoreFolder, open_store, tell_change
from sakedge.cli.options import Json, SiteFolder


def rollback(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Of this alone (default: of all).")
    ] = None,
    reason: Reason = "",
    store: StoreFolder = None,
    site: SiteFolder = None,
    json: Json = False,
) -> None:
    """Go back to what was active before the last change; again, to what was before that."""
    there = open_store(store, site)
    old = there.state()
    tell_change(there, old, there.rollback(name, reason=reason), json)
