"""What `sakedge benchmark` measures, shows and compares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sakedge.cli.output import print_json, print_table, progress_bar, say
from sakedge.cli.written import write_json

if TYPE_CHECKING:
    from sakedge.benchmarking import Comparison, Record
    from sakedge.benchmarking.comparison import Row
    from sakedge.benchmarking.record import Results, Soak

_WARNING = 2
_MIB = 2**20


def measure_and_show(
    student: Path,
    images: Sequence[Path],
    output: Path | None,
    report: Path | None,
    json: bool,
    *,
    plan: Mapping[str, Any],
    streams: str | None,
    interval: str | None,
    soak_minutes: float | None,
    identify: bool,
    **options: Any,
) -> None:
    """Measures, writes the record and the page, and prints a summary."""
    from sakedge.benchmarking import Plan, benchmark
    from sakedge.benchmarking.plan import numbers_of, pauses_of

    if report is not None:
        _reporter()
    wanted = Plan(
        streams=(1,) if streams is None else numbers_of(streams),
        intervals=() if interval is None else pauses_of(interval),
        **plan,
    )
    with progress_bar() as progress:
        found = benchmark(
            student,
            images,
            wanted,
            soak_minutes=soak_minutes,
            identify=identify,
            progress=progress,
            **options,
        )
    if output is not None:
        write_json(output, found.to_dict())
    _show(found, report, json)
    if output is not None and not json:
        say(f"written to {output}")


def show_record(path: Path, report: Path | None, json: bool) -> None:
    """Prints a record that was written before, or makes its page."""
    from sakedge.benchmarking import read_record

    _show(read_record(path), report, json)


def compare_records(
    paths: tuple[Path, Path], report: Path | None, json: bool, *, anyway: bool
) -> None:
    """Prints two records side by side.

    Raises:
        typer.Exit: With 2, if anything is worse in the second by more than noise.
    """
    from dataclasses import asdict

    from sakedge.benchmarking import compare, read_record

    found = compare(read_record(paths[0]), read_record(paths[1]), anyway=anyway)
    if report is not None:
        _reporter().write_comparison(found, (paths[0].name, paths[1].name), report)
    if json:
        rows = [{**asdict(row), "is_worse": row.is_worse} for row in found.rows]
        settings = [asdict(each) for each in found.differences]
        print_json({"rows": rows, "differences": settings, "delayed": found.delayed})
    else:
        _print_comparison(found, paths)
        if report is not None:
            say(f"page: {report}")
    if found.is_worse:
        raise typer.Exit(_WARNING)


def _reporter() -> Any:
    """What makes pages; it needs the extra `evaluate`, so it is asked for before any measuring."""
    from sakedge.errors import OptionError

    try:
        import sakedge.benchmarking.report as report
    except ImportError as error:
        raise OptionError(
            f"a page needs packages that are not installed ({error.name})",
            remedy="Install sakedge[evaluate], or make the page elsewhere with --record",
        ) from error
    return report


def _show(found: Record, report: Path | None, json: bool) -> None:
    if report is not None:
        _reporter().write_record(found, report)
    if json:
        print_json(found.to_dict())
        return
    _print(found)
    if report is not None:
        say(f"page: {report}")


def _print(found: Record) -> None:
    ours, device = found.student, found.device
    say(f"{ours['path']}  {ours['model']} model, {ours['precision']}, decoder {ours.get('isa')}")
    say(f"backend {ours['backend']} ({ours['backend_reason']})")
    board = f"{device.board}, " if device.board else ""
    say(f"{board}{device.cpu}, {ours['threads']} threads, batch {found.options.batch}")
    mode = [str(each) for each in found.power_mode.model_dump().values() if isinstance(each, str)]
    if mode:
        say(f"power mode: {', '.join(mode)}")
    if found.results is not None:
        _print_results(found.results, found)
    if found.soak is not None:
        _print_soak(found.soak)


def _print_results(results: Results, found: Record) -> None:
    from sakedge.benchmarking.hardware.cpu_time import NOTICEABLE
    from sakedge.benchmarking.plan import pause_text

    say(f"read model         {results.read_model_ms:10.1f} ms")
    say(f"compile model      {results.compile_model_ms:10.1f} ms")
    say(f"decoder weights    {results.decoder_ms:10.1f} ms")
    say(f"first inference    {results.first_inference_ms:10.1f} ms  (in a fresh process)")
    header = ("", "median", "average", "p90", "p95", "p99", "min", "max", "images/s")
    rows = [
        (
            "1 caller" if each.streams == 1 else f"{each.streams} callers",
            *_latency(each.latency_ms),
            f"{each.throughput:.2f}",
        )
        for each in results.streams
    ]
    for pause in results.pauses:
        rows.append((f"after {pause_text(pause.pause_s)}", *_latency(pause.latency_ms), ""))
    calls, rounds = results.total_number_of_iterations, len(found.rounds)
    starts = "process" if rounds == 1 else f"{rounds} processes"
    print_table(f"Milliseconds of a call; {calls} calls in {starts}", header, rows)
    say(f"stages, median     {_stages(results.stages_ms)}")
    for pause in results.pauses:
        sure = pause.ratio
        against = ""
        if sure is not None:
            against = f"{sure.value:.2f} times ({sure.low:.2f} to {sure.high:.2f}): "
        say(f"  after {pause_text(pause.pause_s):<10} {against}{_stages(pause.stages_ms)}")
    for name, amount in results.memory.model_dump().items():
        if amount is not None:
            say(f"memory {name:<12}{amount / _MIB:10.1f} MiB")
    if results.energy is None:
        say(f"energy             not known: {found.missing.get('energy', 'no counter')}")
    else:
        energy = results.energy
        say(f"energy             {energy.joules_per_image:10.3f} J an image ({energy.covers})")
        say(f"power              {energy.watts:10.1f} W")
    shares = [each.streams[0].delayed for each in found.rounds]
    most = max((each for each in shares if each is not None), default=0.0)
    if most > NOTICEABLE:
        say(
            f"note: other programs ran meanwhile and can have cost up to {100 * most:.0f} % "
            "of the time"
        )


def _print_soak(soak: Soak) -> None:
    ended = ", interrupted" if soak.interrupted else ""
    say(f"soak               {soak.measured_minutes:10.1f} minutes{ended}")
    for sentence in soak.verdict:
        say(f"  {sentence}")


def _stages(stages: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {ms:.2f} ms" for name, ms in stages.items())


def _latency(latency: Any) -> list[str]:
    fields = ("median", "average", "p90", "p95", "p99", "min", "max")
    return [f"{getattr(latency, field):.2f}" for field in fields]


def _print_comparison(found: Comparison, paths: tuple[Path, Path]) -> None:
    from sakedge.benchmarking.comparison import sentence
    from sakedge.benchmarking.hardware.cpu_time import NOTICEABLE

    say(f"A  {paths[0]}  {found.before.taken}  {found.before.device.cpu}")
    say(f"B  {paths[1]}  {found.after.taken}  {found.after.device.cpu}")
    rows = [
        (row.what, f"{row.before:.4g}", f"{row.after:.4g}", row.unit, _ratio(row), sentence(row))
        for row in found.rows
    ]
    print_table("Medians over the rounds", ("", "A", "B", "", "B over A", ""), rows)
    for each in found.differences:
        say(f"differs in {each}")
    for name, share in zip("AB", found.delayed, strict=True):
        if share is not None and share > NOTICEABLE:
            say(f"{name}: other programs can have cost up to {100 * share:.0f} % of the time")


def _ratio(row: Row) -> str:
    if row.ratio is None:
        return ""
    return f"{row.ratio.value:.3f} ({row.ratio.low:.3f} to {row.ratio.high:.3f})"
