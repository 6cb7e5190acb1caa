"""`sakedge adapter export`: a pack out of the store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sakedge.cli.adapter.stored import Name, StoreFolder, VersionName, open_store
from sakedge.cli.options import Json, SiteFolder
from sakedge.cli.output import print_json, say


def export(
    name: Name,
    version: VersionName,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="The folder for it.")
    ] = Path(),
    store: StoreFolder = None,
    site: SiteFolder = None,
    json: Json = False,
) -> None:
    """Write a pack, and its envelope, under the names that they came with."""
    there = open_store(store, site)
    path = there.export(name, version, output)
    if json:
        print_json({"store": str(there.folder), "written": str(path)})
        return
    say(f"wrote {path}")
