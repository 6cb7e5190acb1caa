"""What the verbs of the group share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from sakedge.audit import Entry

DEFAULT = Path("/etc/sakedge/audit")
"""Where the log of a machine lies unless its site says otherwise."""

Log: TypeAlias = Annotated[Path, typer.Argument(metavar="[LOG]", help="The log's folder.")]
Keys: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option("--key", metavar="KEY.pub", help="A public key that signs checkpoints."),
]

HEADER = ("entry", "time (UTC)", "who", "what", "detail")
_DIGEST = re.compile(r"[0-9a-f]{64}")


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
