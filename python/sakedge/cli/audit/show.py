"""`sakedge audit show`: what was done here?"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timezone
from typing import Annotated

import typer

from sakedge.cli.audit.options import HEADER, Log, log_folder, row
from sakedge.cli.options import Json, SiteFolder, names
from sakedge.cli.output import print_table, put, say
from sakedge.text import to_json


def show(
    log: Log = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="From then on: 2026-11-26, or with T14:30.")
    ] = None,
    action: Annotated[
        str | None, typer.Option(metavar="A,B", help="These alone, e.g. swap,rollback.")
    ] = None,
    who: Annotated[str | None, typer.Option(metavar="USER", help="What this user did.")] = None,
    last: Annotated[int, typer.Option(metavar="N", help="So many at most; 0 is all.")] = 50,
    site: SiteFolder = None,
    json: Json = False,
) -> None:
    """Print the last entries of the audit log, one line of JSON each with --json."""
    from sakedge.arguments import in_range
    from sakedge.audit import ACTIONS, entries
    from sakedge.errors import OptionError

    in_range("--last", last, low=0)
    actions = names(action)
    for name in actions or ():
        if name not in ACTIONS:
            expected = f"some of {', '.join(ACTIONS)}"
            raise OptionError("no action has this name", expected=expected, got=repr(name))
    begin = "" if since is None else _utc(since)
    folder = log_folder(log, site)
    wanted = (
        entry
        for entry in entries(folder)
        if entry.time >= begin
        and (actions is None or entry.action in actions)
        and who in (None, entry.who)
    )
    chosen = deque(enumerate(wanted, start=1), maxlen=last or None)
    if json:
        for _, entry in chosen:
            put(to_json(entry.model_dump()))
        return
    if not chosen:
        say(f"{folder}: no such entry")
        return
    count = chosen[-1][0]
    more = f", the last {len(chosen)} of {count}" if count > len(chosen) else ""
    print_table(f"{folder}{more}", HEADER, [row(entry) for _, entry in chosen])


def _utc(text: str) -> str:
    """A time as entries have it. One without a zone is UTC, as what is shown."""
    from sakedge.errors import OptionError

    try:
        time = datetime.fromisoformat(text.removesuffix("Z"))
        zone = time.astimezone(timezone.utc) if time.tzinfo else time
    except (ValueError, OverflowError):
        raise OptionError("this is no time", expected="2026-11-26T14:30", got=repr(text)) from None
    return zone.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
