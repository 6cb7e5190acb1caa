"""`sakedge demo`: the shipped student on the shipped images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sakedge.cli.options import Backend, Threads
from sakedge.cli.output import progress_bar
from sakedge.cli.predict import show
from sakedge.cli.written import Wanted


def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the overlays.")
    ] = Path("out"),
    backend: Backend = "auto",
    threads: Threads = None,
) -> None:
    """Run the demo student on its sample images and say where the overlays are."""
    import sakedge
    from sakedge.assets import demo_student, samples

    with progress_bar("loading"):
        student = sakedge.load(demo_student(), backend=backend, threads=threads)
    with (
        student,
        progress_bar() as progress,
        student.stream(samples(), on_error="raise") as stream,
    ):
        show(stream, Wanted(output), progress)
