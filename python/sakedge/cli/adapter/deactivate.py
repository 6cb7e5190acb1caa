"""`sakedge adapter deactivate`: a name is the student's own again."""

from __future__ import annotations

from sakedge.cli.adapter.stored import Name, Reason, StoreFolder, open_store, tell_change
from sakedge.cli.options import Json, SiteFolder


def deactivate(
    name: Name,
    reason: Reason = "",
    store: StoreFolder = None,
    site: SiteFolder = None,
    json: Json = False,
) -> None:
    """Leave a name to the student: its own adapter runs there again, if it has one."""
    there = open_store(store, site)
    old = there.state()
    tell_change(there, old, there.deactivate(name, reason=reason), json)
