"""`sakedge adapter add`: a pack into the store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sakedge.cli.adapter.stored import StoreFolder
from sakedge.cli.options import Json, SiteFolder
from sakedge.cli.output import print_json, say
from sakedge.files.atomic import is_there


def add(
    pack: Annotated[
        Path, typer.Argument(metavar="PACK", help="An adapter pack, or a .sakdelta to one.")
    ],
    name: Annotated[
        str | None, typer.Option(metavar="SLOT", help="Its slot (default: the pack's own name).")
    ] = None,
    version: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Its version (default: as the pack says).")
    ] = None,
    golden: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Golden images that it is tried on before it runs."),
    ] = None,
    store: StoreFolder = None,
    site: SiteFolder = None,
    json: Json = False,
) -> None:
    """Check a pack and keep it in the store. It does not run before it is activated."""
    from sakedge.site import Site
    from sakedge.store import FOLDER, Store

    folder, rules = store or FOLDER, Site.open(site)
    is_new = not is_there(folder / "store.json")
    there = Store.create(folder, site=rules) if is_new else Store.open(folder, site=rules)
    entry = there.add(pack, name=name, version=version, golden=golden)
    if json:
        print_json({"store": str(there.folder), "added": entry.model_dump(mode="json")})
        return
    if is_new:
        say(f"made the store {there.folder}")
    say(f"added {entry.name} {entry.version}, SHA-256 {entry.digest}")
    say(f"activate it: sakedge adapter activate {entry.name} {entry.version}")
