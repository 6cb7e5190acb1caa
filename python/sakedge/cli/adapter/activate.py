"""`sakedge adapter activate`: a version runs from now on."""

from __future__ import annotations

from sakedge.cli.adapter.stored import (
    Name,
    Reason,
    StoreFolder,
    VersionName,
    open_store,
    tell_change,
)
from sakedge.cli.options import Json, SiteFolder


def activate(
    name: Name,
    version: VersionName,
    reason: Reason = "",
    store: StoreFolder = None,
    site: SiteFolder = None,
    json: Json = False,
) -> None:
    """Make a version the active one. Processes that follow the store exchange it while they run."""
    there = open_store(store, site)
    old = there.state()
    tell_change(there, old, there.activate(name, version, reason=reason), json)
