"""`sakedge doctor`: what can this machine do, and why not more?"""

from __future__ import annotations

import typer

from sakedge.cli.options import Json
from sakedge.cli.output import print_json, print_table


def doctor(json: Json = False) -> None:
    """Say what this machine can do and why not more. Warnings: exit code 2; failures: 1."""
    from sakedge.checks.doctor import examine

    found = examine()
    if json:
        print_json(found.to_dict())
    else:
        print_table(
            f"sakedge {found.machine['versions'].get('sakedge', '')} on {found.machine['system']}",
            ("", "topic", "found", "remedy"),
            [(_MARKS[f.status], f.topic, f.text, f.remedy or "") for f in found.findings],
        )
    if found.status in _CODES:
        raise typer.Exit(_CODES[found.status])


_MARKS = {"ok": "ok", "note": "note", "warning": "WARN", "failure": "FAIL"}
_CODES = {"warning": 2, "failure": 1}
