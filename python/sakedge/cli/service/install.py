"""`sakedge service install` and `uninstall`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sakedge.cli.output import say
from sakedge.cli.service.options import LinePath, read_service

Root = Annotated[
    Path, typer.Option(metavar="DIR", help="Root of the system, e.g. an image's that is prepared.")
]


def install(line: LinePath, root: Root = Path("/")) -> None:
    """Write a hardened systemd unit for a line, and tell systemd of it. It is not started yet."""
    from sakedge.service import systemd

    service = read_service(line)
    for path in systemd.install(service, root):
        say(f"written: {path}")
    for note in service.notes:
        say(f"note: {note}")
    if systemd.is_running_here(root):
        systemd.tell(("systemd-sysusers", "sakedge.conf"), ("systemctl", "daemon-reload"))
        say(f"start it now and with the machine: systemctl enable --now {service.unit_name}")
    else:
        say("systemd does not run here: it reads the unit when the system starts")
        say(f"have it started then: systemctl --root={root} enable {service.unit_name}")


def uninstall(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The line's name, e.g. line.")],
    root: Root = Path("/"),
) -> None:
    """Stop a line and remove its unit. Its file, adapters, cache and results stay."""
    from sakedge.service import systemd
    from sakedge.service.unit import USER

    here = systemd.is_running_here(root)
    unit = f"{USER}-{name}.service"
    systemd.require(name, root)
    if here:
        systemd.tell(("systemctl", "disable", "--now", unit))
    for path in systemd.uninstall(name, root):
        say(f"removed: {path}")
    if here:
        systemd.tell(("systemctl", "daemon-reload"))
    say(f"kept: /etc/sakedge, /var/lib/{USER}/{name}, /var/cache/{USER}/{name}")
