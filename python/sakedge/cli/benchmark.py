"""`sakedge benchmark`: how fast is a student here, and what does it cost?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sakedge.cli.benchmarked import compare_records, measure_and_show, show_record
from sakedge.cli.choose import choose_by_measuring
from sakedge.cli.options import (
    Adapters,
    Backend,
    CacheDir,
    Device,
    Json,
    Precision,
    Tasks,
    Threads,
    names,
)
from sakedge.cli.peers import compare_with_peers
from sakedge.cli.written import check_output


def benchmark(
    student: Annotated[
        Path | None, typer.Argument(metavar="STUDENT", help="A student.onnx.", show_default=False)
    ] = None,
    images: Annotated[
        list[Path] | None, typer.Argument(help="Images to run on (default: an example).")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Also write the JSON.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="Also write a page for a buyer (one file)."),
    ] = None,
    batch: Annotated[int, typer.Option("--batch", "-b", help="Images in one call.")] = 1,
    iterations: Annotated[
        int | None,
        typer.Option(
            "--iterations", "-niter", help="Calls in each process (default: by --duration)."
        ),
    ] = None,
    duration: Annotated[
        float | None,
        typer.Option(
            "--duration", "-t", help="Seconds in each process (default: 2; at least 10 calls)."
        ),
    ] = None,
    warmup: Annotated[int, typer.Option(help="Warm-up calls, not measured.")] = 3,
    rounds: Annotated[int, typer.Option(help="Fresh processes.")] = 5,
    streams: Annotated[
        str | None,
        typer.Option("--streams", "-nstreams", metavar="1,2,4", help="Callers at once."),
    ] = None,
    interval: Annotated[
        str | None,
        typer.Option(metavar="10ms,1s", help="Also calls that each come after a pause."),
    ] = None,
    soak: Annotated[
        float | None,
        typer.Option(metavar="MINUTES", help="Also a long run: heat, drift, memory."),
    ] = None,
    identify: Annotated[
        bool, typer.Option("--identify", help="Record host, user and the student's folder.")
    ] = False,
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="A.json B.json", help="Set two records side by side."),
    ] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Compare records of different work.")
    ] = False,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="Show a record; measure nothing.")
    ] = None,
    peers: Annotated[
        bool, typer.Option("--peers", help="Compare with stock runtimes on the same file.")
    ] = False,
    choose: Annotated[
        bool,
        typer.Option(
            "--choose", help="Measure every model, backend and stem; load takes the fastest."
        ),
    ] = False,
    adapters: Adapters = None,
    tasks: Tasks = None,
    backend: Backend = "auto",
    device: Device = None,
    precision: Precision = "auto",
    threads: Threads = None,
    cache_dir: CacheDir = None,
    json: Json = False,
) -> None:
    """Measure speed, memory, energy and heat, and write a record; compare two; --peers: others."""
    inputs = [each for each in (student, *(images or ()), record, *(compare or ())) if each]
    for written in (output, report):
        check_output(written, inputs)
    if compare or record:
        _refuse_with("--compare and --record", student=student, peers=peers, choose=choose)
        if compare:
            _refuse_with("--compare", record=record, output=output)
            compare_records(compare, report, json, anyway=anyway)
        elif record:
            _refuse_with("--record", output=output)
            show_record(record, report, json)
        return
    if student is None:
        raise typer.BadParameter("a student is needed, or --compare or --record")
    whole = {
        "images": images,
        "adapters": adapters,
        "tasks": tasks,
        "iterations": iterations,
        "streams": streams,
        "interval": interval,
        "soak": soak,
        "report": report,
        "identify": identify,
    }
    if choose:
        named = {"backend": backend != "auto", "batch": batch != 1}
        _refuse_with("--choose", **whole, **named, peers=peers)
        choose_by_measuring(
            student,
            output,
            json,
            rounds=rounds,
            warmup=warmup,
            duration=duration,
            device=device,
            precision=precision,
            threads=threads,
            cache_dir=cache_dir,
        )
        return
    if peers:
        _refuse_with("--peers", **whole)
        compare_with_peers(
            student,
            output,
            json,
            batch=batch,
            rounds=rounds,
            warmup=warmup,
            duration=duration,
            precision=precision,
            threads=threads,
            options={"backend": backend, "device": device, "cache_dir": cache_dir},
        )
        return
    measure_and_show(
        student,
        images or (),
        output,
        report,
        json,
        plan={
            "batch": batch,
            "rounds": rounds,
            "iterations": iterations,
            "warmup": warmup,
            "duration": 2.0 if duration is None else duration,
        },
        streams=streams,
        interval=interval,
        soak_minutes=soak,
        identify=identify,
        adapters=names(adapters),
        tasks=names(tasks),
        backend=backend,
        device=device,
        precision=precision,
        threads=threads,
        cache_dir=cache_dir,
    )


def _refuse_with(option: str, **given: object) -> None:
    """Refuses what does not go with an option, e.g. what narrows a comparison of whole students."""
    from sakedge.errors import OptionError

    for name, value in given.items():
        if value:
            problem = f"{name} cannot be given together with {option}"
            raise OptionError(problem, remedy="Leave one of them out")
