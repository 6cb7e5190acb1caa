"""`sakedge adapter list`: what is in the store, what is active, and what runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sakedge.cli.adapter.stored import StoreFolder, open_store
from sakedge.cli.options import Json, SiteFolder
from sakedge.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from sakedge.store import Entry, Running

_DIGITS = 12


def list(  # the verb's name, as of every package manager
    store: StoreFolder = None, site: SiteFolder = None, json: Json = False
) -> None:
    """List the versions in the store, which are active, and which processes run them."""
    there = open_store(store, site)
    entries, state, running = there.entries(), there.state(), there.running()
    if json:
        print_json(
            {
                "store": str(there.folder),
                "state": state.model_dump(mode="json"),
                "versions": [each.model_dump(mode="json") for each in entries],
                "running": [each.model_dump(mode="json") for each in running],
            }
        )
        return
    why = f": {state.reason}" if state.reason else ""
    say(f"{there.folder}, state {state.generation}, since {state.since}, by {state.by}{why}")
    if not entries:
        say("no versions yet: sakedge adapter add PACK")
        return
    print_table(
        "Versions",
        ("name", "version", "active", "teacher", "licence", "MB", "added", "by", "SHA-256"),
        [_row(each) for each in entries],
    )
    if running:
        print_table(
            "Processes that follow the store",
            ("pid", "since", "state", "runs", "refuses"),
            [_process(each, entries) for each in running],
        )


def _row(entry: Entry) -> Sequence[object]:
    active = ("yes" if each == entry.name else f"as {each}" for each in entry.active)
    return (
        *(entry.name, entry.version, ", ".join(active), entry.teacher),
        *((entry.license or "not stated")[:40], f"{entry.size / 1e6:.1f}"),
        *(entry.added.replace("T", " "), entry.by, entry.digest[:_DIGITS]),
    )


def _process(running: Running, entries: Sequence[Entry]) -> Sequence[object]:
    versions = {each.tensors: each.version for each in entries}
    runs = (
        f"{name} {versions.get(tensors, 'its own')}" for name, tensors in running.adapters.items()
    )
    refuses = (f"{name}: {why}" for name, why in running.refused.items())
    since = running.since.replace("T", " ")
    return running.pid, since, running.generation, ", ".join(runs), "; ".join(refuses)
