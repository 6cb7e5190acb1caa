"""What the verbs on the store share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from sakedge.cli.output import print_json, say

if TYPE_CHECKING:
    from sakedge.store import State, Store

StoreFolder: TypeAlias = Annotated[
    Path | None,
    typer.Option("--store", metavar="DIR", help="The store (default: /var/lib/sakedge/store)."),
]
Name: TypeAlias = Annotated[
    str, typer.Argument(metavar="NAME", help="A slot, as sam, or sam@line3 beside it.")
]
VersionName: TypeAlias = Annotated[
    str, typer.Argument(metavar="VERSION", help="A version, or the first digits of its SHA-256.")
]
Reason: TypeAlias = Annotated[str, typer.Option(help="Why, for those who come later.")]


def open_store(folder: Path | None, site: Path | None) -> Store:
    """Opens a store under a site's policy."""
    from sakedge.site import Site
    from sakedge.store import FOLDER, Store

    return Store.open(folder or FOLDER, site=Site.open(site))


def tell_change(store: Store, old: State, new: State, json: bool) -> None:
    """Prints what a change of the state did."""
    changes = {
        name: {"old": _version(old, name), "new": _version(new, name)}
        for name in sorted({*old.adapters, *new.adapters})
        if old.active.get(name) != new.active.get(name)
    }
    if json:
        state = new.model_dump(mode="json")
        print_json({"store": str(store.folder), "changes": changes, "state": state})
        return
    for name, change in changes.items():
        nothing = "nothing" if "@" in name else "the student's own"
        say(f"{name}: {change['old'] or nothing} → {change['new'] or nothing}")
    say(f"state {new.generation}" if changes else f"nothing to change; state {new.generation}")


def _version(state: State, name: str) -> str | None:
    there = state.adapters.get(name)
    return None if there is None or there.digest is None else there.version
