"""`sakedge repo show`: who signed what, until when, and what is listed."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sakedge.cli.options import Json, SiteFolder
from sakedge.cli.output import print_json, print_table, say
from sakedge.cli.repo.options import box_of
from sakedge.errors import OptionError

if TYPE_CHECKING:
    from sakedge.trust.tuf.trusted import Trusted

_WARNING = 2
_DAY = timedelta(days=1)


def show(
    repository: Annotated[
        Path | None,
        typer.Argument(
            metavar="[REPO]",
            help="A repository's folder (default: what this machine has taken over).",
        ),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The root.json to verify REPO from (default: its own)."),
    ] = None,
    site: SiteFolder = None,
    warn: Annotated[
        int, typer.Option(metavar="DAYS", help="Exit with 2 if something expires within so many.")
    ] = 30,
    json: Json = False,
) -> None:
    """Show who signed what, until when, and what is listed. Expires soon: exit code 2."""
    if repository is None:
        if root is not None:
            raise OptionError("--root is for a REPO", remedy="Name the repository too")
        where, client = box_of(site)
        trusted = client.trusted
        title = f"What this machine has taken over, by {where.folder}"
    else:
        from sakedge.trust.tuf.looking import look

        trusted = look(repository, root)
        title = f"{repository}, verified from {root or 'its own first root'}"
    if json:
        print_json(facts(trusted))
    else:
        _print(title, trusted)
    if days_left(trusted) < warn:
        raise typer.Exit(_WARNING)


def facts(trusted: Trusted) -> dict[str, Any]:
    """What is trusted, for a script."""
    return {
        "days_left": days_left(trusted),
        "latest_time_seen": _text(trusted.seen),
        "roles": {
            document.role: {
                "version": document.version,
                "keys": sorted(trusted.root.signed.roles[document.role].keyids),
                "signed": _text(document.built),
                "expires": _text(document.expires),
            }
            for document in trusted.documents
        },
        "revoked_keys": sorted(trusted.revoked),
        "targets": {
            name: {"length": each.length, "sha256": each.sha256, **each.custom}
            for name, each in trusted.targets.items()
        },
    }


def days_left(trusted: Trusted) -> int:
    """Days until the first role expires, the last one begun included; 0 or less afterwards."""
    return _first_expiry(trusted)[1]


def lasting(trusted: Trusted) -> str:
    """How many files are listed, and what expires first."""
    role, days = _first_expiry(trusted)
    return f"{len(trusted.targets)} listed; the {role} metadata expire in {days} days"


def _first_expiry(trusted: Trusted) -> tuple[str, int]:
    from sakedge.trust.tuf.times import utc_now

    now = trusted.now(utc_now())
    first = min(trusted.documents, key=lambda document: document.expires)
    return first.role, -((now - first.expires) // _DAY)


def _print(title: str, trusted: Trusted) -> None:
    found = facts(trusted)
    print_table(
        title,
        ("role", "version", "key", "signed", "expires"),
        [
            (
                *(role, each["version"], ", ".join(key[:16] for key in each["keys"])),
                *(each["signed"] or "not stated", each["expires"]),
            )
            for role, each in found["roles"].items()
        ],
    )
    if trusted.current is None:
        say("no list of files yet: run `sakedge repo fetch`")
    elif found["targets"]:
        print_table(
            "Files",
            ("name", "kind", "version", "licence", "bytes", "SHA-256"),
            [
                (
                    *(name, each.get("kind", ""), each.get("version", "")),
                    *(each.get("license", ""), f"{each['length']:,}", each["sha256"][:16]),
                )
                for name, each in found["targets"].items()
            ],
        )
    left = found["days_left"]
    say(lasting(trusted) if left > 0 else "expired: bring a repository that was refreshed")


def _text(time: datetime | None) -> str | None:
    from sakedge.trust.tuf.times import EARLIEST, to_text

    return None if time is None or time == EARLIEST else to_text(time)
