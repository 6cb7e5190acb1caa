"""What the verbs of the group share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from sakedge.audit import Entry

Log: TypeAlias = Annotated[
    Path | None, typer.Argument(metavar="LOG", help="The log's folder (default: the site's).")
]
Keys: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option("--key", metavar="KEY.pub", help="A public key that signs checkpoints."),
]

HEADER = ("entry", "time (UTC)", "who", "what", "detail")
_DIGEST = re.compile(r"[0-9a-f]{64,}")


def log_folder(log: Path | None, site: Path | None) -> Path:
    """The folder that was given, or that in which the site keeps its log.

    Raises:
        OptionError: Neither is there.
        PermissionDeniedError: The site does not let this user look at its log.
        PolicyError, StorageError: The site's policy cannot be read.
    """
    if log is not None:
        return log
    from sakedge.errors import OptionError
    from sakedge.site import Site

    where = Site.open(site)
    kept = where.policy.audit
    if where.folder is None or kept is None:
        raise OptionError("this machine's site keeps no log", remedy="Give the log's folder")
    where.allow("view")
    return where.folder / (kept.folder or "audit")


def row(entry: Entry) -> tuple[str, ...]:
    """An entry for a reader, under `HEADER`; digests by their first digits, as everywhere."""
    change = f": {_short(entry.old)} → {_short(entry.new)}" if entry.old or entry.new else ""
    detail = [] if entry.result == "done" else [entry.result.upper()]
    detail += ["the clock went back"] if entry.clock_back else []
    detail += [f"{name}: {_short(str(value))}" for name, value in entry.detail.items()]
    return (
        str(entry.seq),
        entry.time[:19].replace("T", " "),
        f"{entry.who} on {entry.host}",
        f"{entry.action} {entry.subject}{change}",
        ", ".join(detail),
    )


def _short(name: str | None) -> str:
    if name is None:
        return "nothing"
    return f"{name[:12]}…" if _DIGEST.fullmatch(name) else name
