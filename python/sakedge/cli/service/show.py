"""`sakedge service show`: the unit or the manifests, without writing anything."""

from __future__ import annotations

from typing import Annotated

import typer

from sakedge.arguments import one_of
from sakedge.cli.output import put
from sakedge.cli.service.options import LinePath, read_service

FORMATS = ("systemd", "container", "kubernetes")


def show(
    line: LinePath,
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help=f"One of {', '.join(FORMATS)}.")
    ] = "systemd",
    image: Annotated[
        str, typer.Option(metavar="NAME", help="With kubernetes: the image.")
    ] = "sakedge:latest",
) -> None:
    """Print what runs a line: a systemd unit, a Containerfile or a Kubernetes manifest."""
    from sakedge.service.containers import CONTAINERFILE, kubernetes

    one_of("--format", form, FORMATS)
    service = read_service(line)
    texts = {
        "systemd": lambda: service.unit,
        "container": lambda: CONTAINERFILE,
        "kubernetes": lambda: kubernetes(service, image),
    }
    put(texts[form]().removesuffix("\n"))
