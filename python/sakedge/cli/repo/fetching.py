"""`sakedge repo fetch|forget-time`: the box's side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sakedge.cli.options import Json
from sakedge.cli.output import print_json, say
from sakedge.cli.repo.options import SITE, Repository, SitePath, client_of
from sakedge.cli.repo.showing import days_left
from sakedge.files.atomic import atomic_write, make_folder


def fetch(
    repository: Repository,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME...]", help="Files to copy (default: all that are listed)."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Where to (default: nothing is copied)."
        ),
    ] = None,
    site: SitePath = SITE,
    json: Json = False,
) -> None:
    """Take over what a repository lists now, and copy verified files from it."""
    client = client_of(site)
    client.refresh(repository)
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
    left = days_left(client.trusted)
    if json:
        print_json({"files": [str(path) for path in copied], "days_left": left})
        return
    for path in copied:
        say(str(path))
    say(f"{len(listed)} listed; to be brought anew within {left} days")


def forget_time(site: SitePath = SITE) -> None:
    """Forget the latest time seen, after this machine's clock was ahead and was set right."""
    client = client_of(site)
    client.forget_time()
    say("forgotten; what is older than the metadata seen stays refused")
