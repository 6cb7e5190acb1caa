"""`sakedge bundle vex`: known weaknesses in a bundle's packages, by what is known here and now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sakedge.cli.options import Json
from sakedge.cli.output import print_json, print_table, remark, say

if TYPE_CHECKING:
    from sakedge.bundling.vex.document import Finding


def vex(
    what: Annotated[
        Path,
        typer.Argument(
            metavar="BUNDLE|PREFIX|SBOM",
            help="A bundle, where one is installed, or the bill of one.",
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="OUT", help="Write the document here.")
    ] = None,
    json: Json = False,
) -> None:
    """State of known weaknesses in a bundle's packages whether sakedge is affected, and why not.

    The exit code is 2 if it is, or if that is not decided.
    """
    from sakedge.bundling.vex.bill import read_bill
    from sakedge.bundling.vex.document import find, make_vex
    from sakedge.bundling.vex.statements import read_statements
    from sakedge.files.atomic import atomic_write
    from sakedge.files.targets import check_target, refuse_inputs
    from sakedge.format.strict_json import loads

    if output is not None:
        check_target(output)
        refuse_inputs(output, [what])
    bill, statements = read_bill(what), read_statements()
    document = make_vex(bill, statements)
    if output is not None:
        with atomic_write(output) as file:
            file.write(document)
        remark(f"written to {output}", "info")
    found = find(bill, statements)
    if json:
        print_json(loads(document, most_bytes=len(document), most_keys=1000))
    else:
        reviewed = max(each.reviewed for each in statements.values())
        _print(f"{bill.name}, {len(bill.packages)} packages; reviewed {reviewed}", found)
    if any(each.statement.state != "not_affected" for each in found):
        raise typer.Exit(2)


def _print(title: str, found: Sequence[Finding]) -> None:
    if not found:
        say(f"{title}: no known weakness concerns them")
        return
    rows = []
    for each in found:
        said = each.statement
        why = said.detail if said.recommendation is None else f"{said.detail} {said.recommendation}"
        rows.append(
            (
                f"{each.package.name} {each.package.version}",
                ", ".join(said.advisories),
                said.state.replace("_", " "),
                why,
            )
        )
    print_table(title, ("package", "advisories", "state", "why"), rows)
