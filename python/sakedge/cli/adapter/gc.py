"""`sakedge adapter gc`: makes room."""

from __future__ import annotations

from typing import Annotated

import typer

from sakedge.cli.adapter.stored import StoreFolder, open_store
from sakedge.cli.options import Json, SiteFolder
from sakedge.cli.output import print_json, say


def gc(
    keep: Annotated[int, typer.Option(help="Steps back that remain possible.")] = 2,
    store: StoreFolder = None,
    site: SiteFolder = None,
    json: Json = False,
) -> None:
    """Remove versions that neither run nor are needed to go back."""
    there = open_store(store, site)
    gone = there.gc(keep)
    if json:
        removed = [each.model_dump(mode="json") for each in gone]
        print_json({"store": str(there.folder), "removed": removed})
        return
    for each in gone:
        say(f"removed {each.name} {each.version}, {each.size / 1e6:.1f} MB")
    if not gone:
        say("nothing to remove")
