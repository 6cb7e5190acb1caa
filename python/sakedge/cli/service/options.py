"""What the verbs of `sakedge service` share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from sakedge.service.unit import Service

LinePath: TypeAlias = Annotated[
    Path,
    typer.Argument(
        metavar="LINE", help="The line's file, e.g. /etc/sakedge/line.json.", show_default=False
    ),
]


def read_service(path: Path) -> Service:
    """The service that a line's file describes, on this machine.

    Raises:
        OptionError: The file is wrong, or lies where a unit cannot name it.
        StorageError: It cannot be read.
    """
    import sys

    from sakedge.errors import OptionError
    from sakedge.service import systemd
    from sakedge.service.line import line_name, read_line
    from sakedge.service.unit import Service, lasting

    config, python = path.absolute(), lasting(Path(sys.executable))
    for each in (config, python):
        if not str(each).isprintable() or set(str(each)) & set(" %\"\\'$"):
            raise OptionError(
                "a unit cannot name this path",
                expected="one without blanks, quotes, %, $ and \\",
                got=repr(str(each)),
                remedy="Move it",
            )
    return Service(line_name(config), config, read_line(config), python, systemd.version())
