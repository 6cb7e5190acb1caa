"""Options that the verbs of `repo` share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from sakedge.errors import OptionError, shown
from sakedge.files.bounded import read_bounded

if TYPE_CHECKING:
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
SitePath: TypeAlias = Annotated[
    Path, typer.Option("--site", metavar="DIR", help="The site's folder, with root.json in it.")
]
SITE = Path("/etc/sakedge")
ROOT = "root.json"
STATE = "updates"
"""Folder in a site's for what this machine has seen of the repository."""
_MOST_ROOT = 512_000


def days_of(given: Sequence[str] | None) -> dict[Role, int]:
    """`timestamp=90` → role and days; what they are is checked by who uses them.

    Raises:
        OptionError: One has another form.
    """
    from sakedge.trust.tuf.signing import check_days

    found = {}
    for text in given or ():
        role, _, days = text.partition("=")
        if not days.strip().isdecimal():
            raise OptionError("no expiry", expected="e.g. timestamp=90", got=shown(text))
        found[role.strip()] = int(days)
    return check_days(found)


def client_of(site: Path) -> Client:
    """What a machine knows of its repository.

    Raises:
        StorageError: The site has no root of trust.
        FileFormatError, TrustError: It is none that can be used.
    """
    from sakedge.trust.tuf.client import Client

    return Client(read_bounded(site / ROOT, _MOST_ROOT), site / STATE)
