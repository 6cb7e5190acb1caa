"""Options that the verbs of `repo` share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from sakedge.cli.sites import required_site
from sakedge.errors import OptionError, shown

if TYPE_CHECKING:
    from sakedge.site import Site
    from sakedge.trust.tuf.client import Client
    from sakedge.trust.tuf.names import Role

Repository: TypeAlias = Annotated[
    Path, typer.Argument(metavar="REPO", help="The repository's folder.", show_default=False)
]
Keys: TypeAlias = Annotated[
    Path, typer.Option("--keys", metavar="DIR", help="Its keys.", show_default=False)
]
RootKeys: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="The root's key, where it lies elsewhere, e.g. on a stick."),
]
Expires: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ROLE=DAYS",
        help="For how many days a role signs from now on: root, targets, snapshot, timestamp "
        "(default: as before; at first 1825, 800, 400, 400).",
    ),
]


def days_of(given: Sequence[str] | None) -> dict[Role, int]:
    """`timestamp=90` → role and days.

    Raises:
        OptionError: One has another form, or is out of range.
    """
    from sakedge.trust.tuf.signing import check_days

    found = {}
    for text in given or ():
        role, _, days = text.partition("=")
        if not (days.isascii() and days.isdecimal() and len(days) < 10):
            raise OptionError("no expiry", expected="e.g. timestamp=90", got=shown(text))
        found[role.strip()] = int(days)
    return check_days(found)


def box_of(folder: Path | None) -> tuple[Site, Client]:
    """The site of this machine, and what the machine knows of its repository.

    Raises:
        OptionError: None was named, and this machine has none.
        SakedgeError: Site or root of trust cannot be used; the subclass says why.
    """
    from sakedge.site.vouching import update_client

    site, place = required_site(folder, "docs/updates.md")
    return site, update_client(place)
