"""`sakedge benchmark`: how fast is a student here, and what does it cost?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sakedge.cli.choose import choose_by_measuring
from sakedge.cli.options import (
    Adapters,
    Backend,
    CacheDir,
    Device,
    Json,
    Precision,
    StudentPath,
    Tasks,
    Threads,
    names,
)
from sakedge.cli.output import print_json, print_table, progress_bar, say
from sakedge.cli.peers import compare_with_peers
from sakedge.cli.written import check_output, write_json

if TYPE_CHECKING:
    from sakedge.checks.benchmark import Benchmark


def benchmark(
    student: StudentPath,
    images: Annotated[
        list[Path] | None, typer.Argument(help="Images to run on (default: an example).")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Also write the JSON.")
    ] = None,
    batch: Annotated[int, typer.Option("--batch", "-b", help="Images in one call.")] = 1,
    iterations: Annotated[
        int | None,
        typer.Option("--iterations", "-niter", help="Calls to measure (default: by --duration)."),
    ] = None,
    duration: Annotated[
        float | None,
        typer.Option(
            "--duration",
            "-t",
            help="Seconds to measure for (default: 10; with --peers and --choose 2 a process).",
        ),
    ] = None,
    warmup: Annotated[int, typer.Option(help="Warm-up calls, not measured.")] = 3,
    peers: Annotated[
        bool, typer.Option("--peers", help="Compare with stock runtimes on the same file.")
    ] = False,
    choose: Annotated[
        bool,
        typer.Option(
            "--choose", help="Measure every model, backend and stem; load takes the fastest."
        ),
    ] = False,
    rounds: Annotated[
        int, typer.Option(help="With --peers and --choose: fresh processes of each.")
    ] = 5,
    adapters: Adapters = None,
    tasks: Tasks = None,
    backend: Backend = "auto",
    device: Device = None,
    precision: Precision = "auto",
    threads: Threads = None,
    cache_dir: CacheDir = None,
    json: Json = False,
) -> None:
    """Measure loading, latency by stage, throughput and memory; --peers: against stock runtimes."""
    check_output(output, [student, *(images or ())])
    whole = {"images": images, "adapters": adapters, "tasks": tasks, "iterations": iterations}
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
    from sakedge.checks.benchmark import benchmark as run

    with progress_bar() as progress:
        found = run(
            student,
            images or (),
            batch=batch,
            iterations=iterations,
            duration=10.0 if duration is None else duration,
            warmup=warmup,
            progress=progress,
            adapters=names(adapters),
            tasks=names(tasks),
            backend=backend,
            device=device,
            precision=precision,
            threads=threads,
            cache_dir=cache_dir,
        )
    if output is not None:
        write_json(output, found.to_dict())
    if json:
        print_json(found.to_dict())
        return
    _print(found, student)
    if output is not None:
        say(f"written to {output}")


def _refuse_with(option: str, **given: object) -> None:
    """Refuses what narrows a comparison of whole students: for stock runtimes it would not hold."""
    from sakedge.errors import OptionError

    for name, value in given.items():
        if value:
            raise OptionError(f"{name} cannot be given together with {option}")


def _print(found: Benchmark, student: Path) -> None:
    ours = found.student
    say(f"{student}  {ours['model']} model, {ours['precision']}, decoder {ours['isa']}")
    say(f"backend {ours['backend']} ({ours['backend_reason']})")
    say(f"{found.machine['cpu']}, {ours['threads']} threads, batch {found.batch}")
    say(f"read               {found.read_ms:10.1f} ms")
    say(f"compile            {found.compile_ms:10.1f} ms  (cache: {ours['session']['cache']})")
    say(f"decoder weights    {found.decoder_ms:10.1f} ms")
    say(f"first inference    {found.first_inference_ms:10.1f} ms")
    rows = {"latency": found.latency_ms, **found.stages_ms}
    print_table(
        f"Milliseconds over {found.iterations} calls",
        ("", "mean", "p50", "p90", "p99", "min", "max"),
        [
            (name, *(f"{v:.2f}" for v in (x.mean, x.p50, x.p90, x.p99, x.min, x.max)))
            for name, x in rows.items()
        ],
    )
    say(f"throughput         {found.throughput_fps:10.2f} images/s")
    for name, amount in found.memory.items():
        if amount is not None:
            say(f"memory {name:<12}{amount / 2**20:10.1f} MiB")
