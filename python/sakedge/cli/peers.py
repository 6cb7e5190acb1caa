"""`sakedge benchmark --peers`: ours against the stock runtimes on the same student."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sakedge.cli.output import print_json, print_table, progress_bar, say
from sakedge.cli.written import write_json

if TYPE_CHECKING:
    from sakedge.peers import Lead, Plan, Race, Ratio

_LEGEND = (
    "",
    "exported     the same student as `sakedge export` writes it: our algebra, in their operators",
    "decoded      normalised images to label maps, probabilities and so on",
    "logits       the same to logits at the input size: all that a stock runtime gives",
    "times ours   its time to logits over ours to decoded outputs, the median pair (least to most)",
    "logits only  its time to logits over ours to logits",
    "peak, own    most memory of the whole process (VmHWM), and of its own (RssAnon)",
    "error        largest difference from ONNX Runtime's logits, relative to the task's range",
)


def compare_with_peers(
    student: Path,
    output: Path | None,
    json: bool,
    *,
    batch: int,
    rounds: int,
    warmup: int,
    duration: float | None,
    precision: str,
    threads: int | None,
    options: dict[str, Any],
) -> None:
    """Runs the comparison and prints it."""
    from pydantic import TypeAdapter

    from sakedge.errors import OptionError
    from sakedge.peers import Race, compare, summary
    from sakedge.peers.compare import PRECISIONS

    if precision not in ("auto", *PRECISIONS):
        raise OptionError(
            "no comparison with peers at this precision",
            expected=f"auto (all of them) or one of {', '.join(PRECISIONS)}",
            got=repr(precision),
        )
    plan = plan_of(threads, batch, rounds, warmup, duration)
    chosen = PRECISIONS if precision == "auto" else (precision,)
    with progress_bar() as progress:
        races = compare(student, plan, precisions=chosen, options=options, progress=progress)
    found = [
        {
            "summary": [asdict(row) for row in summary(race)],
            **TypeAdapter(Race).dump_python(race, mode="json"),
        }
        for race in races
    ]
    if output is not None:
        write_json(output, found)
    if json:
        print_json(found)
        return
    _print(races, student)
    if output is not None:
        say(f"written to {output}")


def plan_of(
    threads: int | None, batch: int, rounds: int, warmup: int, duration: float | None
) -> Plan:
    """How to measure in fresh processes.

    Raises:
        OptionError: A number is out of range.
    """
    from sakedge.arguments import in_range
    from sakedge.peers import Plan
    from sakedge.runtime.threads import resolve_threads

    in_range("batch", batch, low=1, whole=True)
    in_range("rounds", rounds, low=1, whole=True)
    plan = Plan(resolve_threads(threads), batch, rounds, max(1, warmup))
    if duration is None:
        return plan
    in_range("duration", duration, above=0)
    return replace(plan, seconds=duration)


def _print(races: list[Race], student: Path) -> None:
    plan, machine = races[0].plan, races[0].machine
    say(f"{student}  SHA-256 {races[0].digest[:16]}…")
    say(f"{machine['cpu']}, {plan.threads} threads each, batch {plan.batch}")
    say(f"{plan.rounds} rounds, in each a fresh process per contestant, in turn")
    for race in races:
        _print_race(race)
    for line in _LEGEND:
        say(line)


def _print_race(race: Race) -> None:
    from sakedge.peers import lead, summary

    header = ("", "decoded ms", "logits ms", "times ours", "logits only")
    rows = [
        (
            row.label,
            _number(row.decoded_ms),
            _number(row.logits_ms),
            _ratio(row.ratio),
            _ratio(row.ratio_logits),
            _mebibytes(row.peak),
            _mebibytes(row.anonymous),
            "" if row.error is None else f"{row.error:.1e}",
        )
        for row in summary(race)
        if row.refused is None
    ]
    say("")
    print_table(f"ours at {race.ours.precision}", (*header, "peak MiB", "own MiB", "error"), rows)
    ours = summary(race)[0]
    if ours.stem_ms is not None and ours.decoder_ms is not None:
        ran = race.ran(race.ours.label)[0].details
        say(
            f"ours to decoded outputs: stem ({ran['backend']}) {ours.stem_ms:.1f} ms,"
            f" after the stem ({ran['isa']}) {ours.decoder_ms:.1f} ms"
        )
    found = lead(race)
    if found is not None:
        _print_lead(found)
    for label, reason in race.refused.items():
        say(f"{label} did not run: {reason}")


def _print_lead(found: Lead) -> None:
    say(f"lead over {found.file.label} on the file as it is: {_ratio(found.both)} times")
    if found.exported is None:
        return
    say(
        f"  algebra, as `sakedge export` gives it ({found.exported.label}): {_ratio(found.algebra)}"
    )
    own = "kernels"
    if found.ours.precision != found.exported.precision:
        own = f"kernels and {found.ours.precision}"
    share = found.exported.peak_ratio
    memory = "" if share is None else f", in {100 * share:.0f} % of the peak memory"
    say(f"  {own}, beyond that: {_ratio(found.kernels)}{memory}")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _ratio(ratio: Ratio | None) -> str:
    if ratio is None:
        return ""
    return f"{ratio.median:.2f} ({ratio.low:.2f} to {ratio.high:.2f})"


def _mebibytes(amount: int | None) -> str:
    return "" if amount is None else f"{amount / 2**20:.0f}"
