"""`sakedge repo fetch|forget-time`: the box's side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sakedge.cli.options import Json, SiteFolder
from sakedge.cli.output import print_json, remark, say
from sakedge.cli.repo.options import Repository, box_of
from sakedge.cli.repo.showing import days_left, lasting
from sakedge.errors import SakedgeError
from sakedge.files.atomic import atomic_write, make_folder

if TYPE_CHECKING:
    from sakedge.trust.tuf.client import Client


def fetch(
    repository: Repository,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME...]", help="Files to copy (default: all that are listed)."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Where to (default: copy nothing)."),
    ] = None,
    site: SiteFolder = None,
    json: Json = False,
) -> None:
    """Take over what a repository lists now, and copy verified files from it."""
    where, client = box_of(site)
    where.allow("administer")
    try:
        client.refresh(repository)
    except SakedgeError as error:
        where.record(
            "repo.refresh",
            subject=str(repository),
            result="refused",
            detail={"error": type(error).__name__, "reason": str(error)},
        )
        raise
    version = client.trusted.documents[1].version
    where.record("repo.refresh", subject=str(repository), detail={"version": version})
    listed = client.targets()
    wanted = [client.target(name) for name in names or listed] if output or names else []
    copied: list[Path] = []
    for target in wanted:
        content = client.fetch(repository, target.name)
        path = (output or Path()) / target.name
        make_folder(path.parent)
        with atomic_write(path) as file:
            file.write(content)
        copied.append(path)
    _remark_on_clock(client)
    if json:
        left = days_left(client.trusted)
        print_json({"files": [str(path) for path in copied], "version": version, "days_left": left})
        return
    for path in copied:
        say(str(path))
    say(lasting(client.trusted))


def forget_time(site: SiteFolder = None) -> None:
    """Forget the latest time seen, after this machine's clock was ahead and was set right."""
    where, client = box_of(site)
    where.allow("administer")
    where.record("repo.forget", subject=str(where.folder))
    client.forget_time()
    say("forgotten; what is older than the metadata seen stays refused")


def _remark_on_clock(client: Client) -> None:
    """A clock that is behind keeps nobody from working, and so nobody would notice."""
    from sakedge.trust.tuf.times import EARLIEST, to_text, utc_now

    known, clock = client.trusted.now(EARLIEST), utc_now()
    if known > clock:
        remark(f"note: the clock says {to_text(clock)}, but it was already {to_text(known)}")
