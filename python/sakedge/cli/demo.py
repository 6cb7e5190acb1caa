"""`sakedge demo`: the shipped student on the shipped images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sakedge.cli.options import Backend, Threads
from sakedge.cli.output import progress_bar, say
from sakedge.cli.predict import show
from sakedge.cli.written import Wanted, check_output
from sakedge.errors import OptionError
from sakedge.files.atomic import atomic_write, is_there, make_folder


def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the overlays.")
    ] = Path("out"),
    copy: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Write the student, a pack and images there, to try things on."
        ),
    ] = None,
    backend: Backend = "auto",
    threads: Threads = None,
) -> None:
    """Run the demo student on its sample images and say where the overlays are."""
    if copy is not None:
        _copy(copy)
        return
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


_NEW = "pcb"
"""The adapter that the student got for boards, after everything else: the one to add and swap."""


def _copy(folder: Path) -> None:
    """Writes what the guides use, under the names that they use."""
    from sakedge.assets import demo_student, samples
    from sakedge.format import StudentFile, extract_part, write_pack

    images = {f"{'boards' if p.name.startswith(_NEW) else 'parts'}/{p.name}": p for p in samples()}
    sources = {"student.onnx": demo_student(), "part.jpg": samples()[0], **images}
    pack = folder / f"{_NEW}-2026-11.safetensors"
    for target in (*(folder / name for name in sources), pack):
        if is_there(target):
            raise OptionError(f"{target} is there already", remedy="Name another folder")
    for each in (folder, folder / "boards", folder / "parts"):
        make_folder(each)
    check_output(pack, [])
    for name, source in sources.items():
        with atomic_write(folder / name) as file:
            file.write(source.read_bytes())
    with StudentFile.open(demo_student()) as student:
        part = extract_part(student, f"adapters.{_NEW}", version="2026-11")
    write_pack(pack, part.manifest, part.tensors)
    say(f"{folder / 'student.onnx'}: the student")
    say(f"{pack}: its adapter for circuit boards, as a pack")
    say(f"{folder / 'part.jpg'}, {folder / 'parts'}, {folder / 'boards'}: images to run it on")
