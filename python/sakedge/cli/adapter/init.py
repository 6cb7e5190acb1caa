"""`sakedge adapter init`: an empty store."""

from __future__ import annotations

from sakedge.cli.adapter.stored import StoreFolder
from sakedge.cli.options import Json, SiteFolder
from sakedge.cli.output import print_json, say


def init(store: StoreFolder = None, site: SiteFolder = None, json: Json = False) -> None:
    """Make an empty store, which programs may follow before the first pack comes."""
    from sakedge.site import Site
    from sakedge.store import FOLDER, Store

    made = Store.create(store or FOLDER, site=Site.open(site))
    if json:
        print_json({"store": str(made.folder), "state": made.state().model_dump(mode="json")})
    else:
        say(f"made the store {made.folder}")
