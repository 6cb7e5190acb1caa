"""`sakedge compile`: a student's graphs compiled ahead of its first start at the line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sakedge.cli.options import (
    Adapters,
    Backend,
    CacheDir,
    Device,
    Json,
    Precision,
    SiteFolder,
    Tasks,
    Threads,
    names,
)
from sakedge.cli.output import Update, print_json, progress_bar, remark, say
from sakedge.cli.written import check_output
from sakedge.errors import OptionError, SignatureError, StorageError

if TYPE_CHECKING:
    from sakedge.compiling.ahead import Compiled
    from sakedge.compiling.machine_class import MachineClass


def compile_student(
    student: Annotated[
        Path | None, typer.Argument(metavar="STUDENT", help="A student.onnx.", show_default=False)
    ] = None,
    show_class: Annotated[
        bool, typer.Option("--class", help="Print this machine's class as JSON, and do no more.")
    ] = False,
    wanted: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="CLASS",
            help="Refuse unless this machine is of that class: its name, or a file of --class.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write what is compiled to a file, to carry it."
        ),
    ] = None,
    carried: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="Fill the cache from such a file."),
    ] = None,
    unsigned: Annotated[
        bool,
        typer.Option(
            "--unsigned", help="With --from: you vouch for the file, where no site checks it."
        ),
    ] = False,
    graph: Annotated[
        bool, typer.Option("--graph", help="Of the whole graph, as config={'model': 'graph'}.")
    ] = False,
    adapters: Adapters = None,
    tasks: Tasks = None,
    backend: Backend = "auto",
    device: Device = None,
    precision: Precision = "auto",
    threads: Threads = None,
    site: SiteFolder = None,
    cache_dir: CacheDir = None,
    json: Json = False,
) -> None:
    """Compile a student's graphs ahead, so that its first start compiles nothing.

    Exit code 2: there is nothing that a cache could save, with the reason.
    """
    from sakedge.backends.cache_dir import resolve_cache_dir

    machine = _machine(wanted, device, threads)
    if show_class:
        print_json(machine.model_dump())
        return
    if student is None:
        raise OptionError("no student was given", expected="a student.onnx, or --class")
    if carried is not None and output is not None:
        problem = "--from cannot be given together with --output"
        raise OptionError(problem, remedy="Leave one of them out")
    cache = resolve_cache_dir(cache_dir)
    if cache.folder is None and output is None:
        raise OptionError("there is no cache to fill", got=cache.off, remedy="Give --cache-dir")
    check_output(output, [student])
    arguments = {
        "path": str(student),
        "adapters": names(adapters),
        "tasks": names(tasks),
        "backend": backend,
        "device": device,
        "precision": precision,
        "threads": machine.threads,
        "cache_dir": None if cache.folder is None else str(cache.folder),
        "config": {
            **({"model": "graph"} if graph else {}),
            **({} if site is None else {"site": str(site)}),
        },
    }
    with progress_bar() as progress:
        if carried is not None:
            _install(carried, student, machine, site, unsigned, arguments)
        found = (
            _written(output, arguments, machine, progress)
            if output is not None
            else _filled(arguments, machine, progress)
        )
    if carried is not None and found.filling.cache != "hit":
        remark(f"sakedge: {carried} did not have what these options need: it was compiled here")
    print_json(found.to_dict()) if json else _print(found, student, output)
    if not found.kept:
        raise typer.Exit(2)


def _machine(wanted: str | None, device: str | None, threads: int | None) -> MachineClass:
    """The class of this machine; with as many threads as a wanted one has, which it must be of."""
    from sakedge.compiling.machine_class import MachineClass, read_class
    from sakedge.runtime.threads import resolve_threads

    asked = read_class(Path(wanted)) if wanted is not None and Path(wanted).is_file() else None
    if asked is not None and threads is None:
        threads = asked.threads
    here = MachineClass.here(device, resolve_threads(threads))
    if asked is not None:
        here.require(asked)
    elif wanted is not None and wanted != here.name:
        raise OptionError(
            "this machine is of another class, and only its own kind can compile for one",
            expected=here.name,
            got=wanted,
            remedy="Give the file that `sakedge compile --class` printed there, "
            "and each difference is named",
        )
    return here


def _filled(arguments: dict[str, Any], machine: MachineClass, progress: Update) -> Compiled:
    from sakedge.compiling.ahead import compile_ahead

    return compile_ahead(arguments, machine, progress)


def _written(
    output: Path, arguments: dict[str, Any], machine: MachineClass, progress: Update
) -> Compiled:
    """Compiles into a folder of its own, and writes what is there to a file."""
    from tempfile import TemporaryDirectory

    from sakedge.compiling import carrying

    try:
        folder = TemporaryDirectory(prefix="sakedge-")
    except OSError as error:
        raise StorageError(f"there is no folder for temporary files: {error.strerror}") from error
    with folder as place:
        found = _filled({**arguments, "cache_dir": place}, machine, progress)
        if found.kept:
            about = carrying.About(student=found.filling.digest, machine=machine)
            carrying.write(output, Path(place), about)
    return found


def _install(
    carried: Path,
    student: Path,
    machine: MachineClass,
    site_folder: Path | None,
    unsigned: bool,
    arguments: dict[str, Any],
) -> None:
    """Puts what a file carries into the cache, once somebody has vouched for it."""
    from sakedge.compiling import carrying
    from sakedge.format import StudentFile
    from sakedge.site import Site

    if arguments["cache_dir"] is None:
        raise OptionError("there is no cache to fill", remedy="Give --cache-dir")
    site = Site.open(site_folder)
    site.allow("swap")
    if not site.requires_signatures and not unsigned:
        raise SignatureError(
            f"nobody vouches for {carried.name}, and a compiled graph is trusted like a program",
            expected="a site that requires signatures, or --unsigned",
            remedy="Sign it with `sakedge keys sign`, or give --unsigned if you know where it is "
            "from, as an installer does that has checked its bundle",
        )
    offered = site.admit(carried, "cache")
    found = carrying.read(offered.content, carried.name)
    admitted = site.admit(student, "student", installed=True)
    with StudentFile(student, admitted.file) as file:
        carrying.require_student(found, file.content_digest, carried.name)
    machine.require(found.about.machine)
    site.record("cache.fill", subject=str(carried), new=offered.sha256)
    found.store(Path(arguments["cache_dir"]))


def _print(found: Compiled, student: Path, output: Path | None) -> None:
    ran = found.filling
    where = ran.session.get("device", "its device")
    say(f"{student} for {found.machine.name}, {found.machine.threads} threads")
    say(f"{ran.model} model in {ran.backend} on {where}, stem {ran.stem_precision}")
    if "weights" in ran.session:
        say(f"weights: {ran.session['weights']}")
    say(f"cache: {ran.cache}")
    for name, each in (("this start", ran), ("the next one", found.check)):
        if each is not None:
            say(
                f"{name:<12}  loaded in {each.load_ms:.0f} ms, first inference "
                f"{each.first_ms:.1f} ms, later ones {each.later_ms:.1f} ms"
            )
    if found.kept and output is not None:
        say(f"{output}: {output.stat().st_size / 1e6:.1f} MB")
