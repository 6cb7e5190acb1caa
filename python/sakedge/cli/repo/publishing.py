"""`sakedge repo init|publish|revoke|rotate|refresh`: the publisher's side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sakedge.cli.options import Json, SiteFolder
from sakedge.cli.output import print_json, say
from sakedge.cli.repo.options import Expires, Keys, Repository, RootKeys, days_of
from sakedge.cli.repo.showing import facts, lasting

if TYPE_CHECKING:
    from sakedge.site import Site
    from sakedge.trust.tuf.publisher import Publisher


def init(
    repository: Repository,
    keys: Keys,
    root_keys: RootKeys = None,
    expires: Expires = None,
    site: SiteFolder = None,
    json: Json = False,
) -> None:
    """Make an empty repository, its keys, and the root.json that boxes are set up with."""
    from sakedge.trust.tuf.publisher import ANCHOR, Publisher

    where = _administered(site)
    publisher = Publisher.init(repository, keys, root_keys=root_keys, days=days_of(expires))
    where.record("repo.init", subject=str(repository))
    _tell(repository, publisher, [f"root of trust for the boxes: {keys / ANCHOR}"], json)


def publish(
    repository: Repository,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="Packs, deltas, students, with their envelopes; or folders."
        ),
    ],
    keys: Keys,
    site: SiteFolder = None,
    json: Json = False,
) -> None:
    """List files, which boxes may install from now on."""
    from sakedge.trust.tuf.publisher import Publisher

    where = _administered(site)
    publisher = Publisher(repository, keys)
    before = publisher.targets
    listed = publisher.publish(files)
    for each in listed:
        old = before[each.name].sha256 if each.name in before else None
        where.record("repo.publish", subject=each.name, old=old, new=each.sha256)
    _tell(
        repository,
        publisher,
        [f"listed {each.name}: {_described(each.custom)}" for each in listed],
        json,
    )


def revoke(
    repository: Repository,
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Names of files that are listed.")
    ],
    keys: Keys,
    site: SiteFolder = None,
    json: Json = False,
) -> None:
    """List files no longer: a box that sees this uses them no more."""
    from sakedge.trust.tuf.publisher import Publisher

    where = _administered(site)
    publisher = Publisher(repository, keys)
    before = publisher.targets
    gone = publisher.revoke(names)
    for name in gone:
        where.record("repo.revoke", subject=name, old=before[name].sha256)
    _tell(repository, publisher, [f"revoked {name}" for name in gone], json)


def rotate(
    repository: Repository,
    role: Annotated[
        str, typer.Argument(metavar="ROLE", help="root, targets, snapshot or timestamp.")
    ],
    keys: Keys,
    root_keys: RootKeys = None,
    expires: Expires = None,
    site: SiteFolder = None,
    json: Json = False,
) -> None:
    """Replace the key of a role and revoke the old one. Needs the root's key."""
    from sakedge.trust.tuf.publisher import Publisher

    where = _administered(site)
    publisher = Publisher(repository, keys, root_keys=root_keys, days=days_of(expires))
    keyid = publisher.rotate(role)  # type: ignore[arg-type]  # which it checks
    where.record("repo.rotate", subject=role, new=keyid)
    _tell(repository, publisher, [f"the {role} key is {keyid} now; the old one is revoked"], json)


def refresh(
    repository: Repository,
    keys: Keys,
    expires: Expires = None,
    site: SiteFolder = None,
    json: Json = False,
) -> None:
    """Sign anew what is listed, so that boxes may use it for longer."""
    from sakedge.trust.tuf.publisher import Publisher

    where = _administered(site)
    publisher = Publisher(repository, keys, days=days_of(expires))
    publisher.refresh()
    where.record("repo.refresh", subject=str(repository))
    _tell(repository, publisher, [], json)


def _administered(folder: Path | None) -> Site:
    """The site of the office, if it has one; whoever publishes must be allowed to."""
    from sakedge.site import Site

    site = Site.open(folder)
    site.allow("administer")
    return site


def _tell(repository: Path, publisher: Publisher, lines: list[str], json: bool) -> None:
    if json:
        print_json(facts(publisher.trusted))
        return
    for line in lines:
        say(line)
    say(f"{repository}: {lasting(publisher.trusted)}")


def _described(custom: Mapping[str, Any]) -> str:
    """What the list says of a file, on one line."""
    return " ".join(str(custom[key]) for key in ("kind", "name", "version") if key in custom)
