"""`sakedge audit verify`: is the log as it was written?"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sakedge.cli.audit.options import Keys, Log, log_folder
from sakedge.cli.options import Json, SiteFolder
from sakedge.cli.output import print_json, say

if TYPE_CHECKING:
    from sakedge.audit import Verdict


def verify(
    log: Log = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A checkpoint of this log that was kept elsewhere."),
    ] = None,
    key: Keys = None,
    archived: Annotated[
        bool, typer.Option("--archived", help="The log's first files may lie elsewhere.")
    ] = False,
    site: SiteFolder = None,
    json: Json = False,
) -> None:
    """Find any change, cut or reorder, and say what cannot be known.

    Exit code 2: the power was cut in the middle of the last line.
    """
    from sakedge.audit import verify as check
    from sakedge.audit.checkpoint import read_checkpoint_file
    from sakedge.trust.keys import PublicKey

    folder = log_folder(log, site)
    verdict = check(
        folder,
        [read_checkpoint_file(path) for path in checkpoint or ()],
        [PublicKey.read(path) for path in key or ()],
        archived=archived,
    )
    if json:
        print_json(verdict.to_dict())
    else:
        _print(verdict, folder)
    if not verdict.ok:
        raise typer.Exit(1 if verdict.problem else 2)


def _print(verdict: Verdict, folder: Path) -> None:
    first, last = verdict.first, verdict.last
    if first is not None and last is not None:
        say(f"{folder}: entries {first.seq} to {last.seq}, files: {verdict.files}")
        say(f"from {first.time} to {last.time}, root {base64.b64encode(verdict.root).decode()}")
    for entry in verdict.recovered:
        say(f"entry {entry.seq} accounts for {entry.detail['bytes']} bytes that were torn")
    if verdict.problem is not None:
        say(f"WRONG: {verdict.problem}")
    else:
        for each in verdict.checkpoints:
            say(f"as in the checkpoint of {each.origin} at {each.size}, by {each.signers[0]}")
        say(f"TORN: {verdict.torn}" if verdict.torn else "Nothing was changed, cut or reordered.")
    say("What this log cannot show:")
    for sentence in verdict.unknown:
        say(f"- {sentence}")
