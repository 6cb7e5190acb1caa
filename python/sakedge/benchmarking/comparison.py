"""Two records side by side: what differs by more than noise, and whether they may be compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from sakedge.benchmarking.plan import pause_text
from sakedge.benchmarking.ranks import Interval
from sakedge.benchmarking.record import Record, Round
from sakedge.benchmarking.results import LEVEL, median_ms, run_of
from sakedge.benchmarking.settings import Difference, differences
from sakedge.benchmarking.widening import Side, leaves_out_one, ratios
from sakedge.errors import OptionError

Verdict = Literal["differs", "no difference", "disturbed", "too few rounds"]
FEWEST = 5
"""Rounds of each side, without which no interval of `LEVEL` is bounded."""


@dataclass(frozen=True)
class Row:
    """One figure of both.

    Attributes:
        what: Its name.
        unit: Its unit.
        before: Of the first record, the median over its rounds.
        after: Of the second.
        ratio: The second over the first with its interval, widened by what others may have cost;
            None with too few rounds.
        verdict: `differs` where the interval leaves out 1; `disturbed` where it would if nothing
            else had run.
        more_is_worse: Whether a larger figure is worse.
    """

    what: str
    unit: str
    before: float
    after: float
    ratio: Interval | None
    verdict: Verdict
    more_is_worse: bool

    @property
    def is_worse(self) -> bool:
        """Whether the second is worse by more than noise."""
        if self.ratio is None or self.verdict != "differs":
            return False
        return (self.ratio.value > 1) == self.more_is_worse


@dataclass(frozen=True)
class Comparison:
    """Two records.

    Attributes:
        before: The first.
        after: The second.
        rows: What both have, the latency of a call first.
        differences: Settings in which they differ.
        delayed: For each record the largest share of time that others can have cost, the median
            over the rounds; None where that is not known.
    """

    before: Record
    after: Record
    rows: Sequence[Row]
    differences: Sequence[Difference]
    delayed: tuple[float | None, float | None]

    @property
    def is_worse(self) -> bool:
        """Whether anything is worse in the second by more than noise."""
        return any(row.is_worse for row in self.rows)


def compare(before: Record, after: Record, *, anyway: bool = False) -> Comparison:
    """Sets two records side by side.

    Args:
        before: The first.
        after: The second.
        anyway: Whether two that did different work are compared all the same.

    Raises:
        OptionError: They cannot be compared; the message says what differs.
    """
    for name, record in (("first", before), ("second", after)):
        if not record.rounds:
            raise OptionError(
                f"the {name} record has no rounds to compare", remedy="Measure it to its end"
            )
    found = differences(before, after)
    fatal = [each for each in found if each.is_other_work]
    if fatal and not anyway:
        raise OptionError(
            "the two did different work: " + "; ".join(map(str, fatal)),
            remedy="Measure the same student with the same options, or compare with --anyway",
        )
    rows = [row for figure in _figures(before, after) if (row := _row(figure, before, after))]
    return Comparison(before, after, rows, found, (_delay(before), _delay(after)))


@dataclass(frozen=True)
class _Figure:
    what: str
    unit: str
    of: Callable[[Round], float | None]
    more_is_worse: bool = True
    others_matter: bool = True


def _figures(before: Record, after: Record) -> list[_Figure]:
    mib = 2.0**20
    streams = sorted(set(before.options.streams) & set(after.options.streams))
    pauses = sorted(set(before.options.intervals_s) & set(after.options.intervals_s))
    return [
        _Figure("latency, median", "ms", lambda each: median_ms(run_of(each, 1))),
        _Figure("processor time of an image", "ms", _cpu),
        *(
            _Figure(
                f"throughput, {n} caller{'s' if n > 1 else ''}",
                "images/s",
                lambda each, n=n: run_of(each, n).images / run_of(each, n).seconds,  # type: ignore[misc]
                more_is_worse=False,
            )
            for n in streams
        ),
        *(
            _Figure(f"latency after {pause_text(p)}", "ms", lambda each, p=p: _paused(each, p))  # type: ignore[misc]
            for p in pauses
        ),
        _Figure("first inference", "ms", lambda each: each.first_inference_ms),
        _Figure(
            "loading",
            "ms",
            lambda each: each.read_model_ms + each.compile_model_ms + each.decoder_ms,
        ),
        _Figure(
            "peak memory",
            "MiB",
            lambda each: None if each.memory.peak is None else each.memory.peak / mib,
            others_matter=False,
        ),
        _Figure(
            "energy of an image",
            "J",
            lambda each: None if each.energy is None else each.energy.joules_per_image,
        ),
    ]


def _row(figure: _Figure, before: Record, after: Record) -> Row | None:
    first, second = _side(figure, before), _side(figure, after)
    if not first.values or not second.values:
        return None
    found = ratios(first, second, LEVEL)
    return Row(
        figure.what,
        figure.unit,
        median(first.values),
        median(second.values),
        None if found is None else found[1],
        _verdict(found),
        figure.more_is_worse,
    )


def _side(figure: _Figure, record: Record) -> Side:
    known = [(each, value) for each in record.rounds if (value := figure.of(each))]
    shares = [run_of(each, 1).delayed or 0.0 if figure.others_matter else 0.0 for each, _ in known]
    return Side([value for _, value in known], shares, is_rate=not figure.more_is_worse)


def _verdict(found: tuple[Interval, Interval] | None) -> Verdict:
    if found is None:
        return "too few rounds"
    plain, widened = found
    if leaves_out_one(widened):
        return "differs"
    return "disturbed" if leaves_out_one(plain) else "no difference"


def _delay(record: Record) -> float | None:
    known = [run_of(each, 1).delayed for each in record.rounds]
    shares = [each for each in known if each is not None]
    return median(shares) if shares else None


def _cpu(one: Round) -> float:
    return run_of(one, 1).cpu_ms_per_image


def _paused(one: Round, pause: float) -> float:
    return median(next(run for run in one.pauses if run.pause_s == pause).samples_ms)


def sentence(row: Row) -> str:
    """A row's verdict in words."""
    if row.ratio is None:
        return f"too few rounds to tell: {FEWEST} of each are needed"
    if row.verdict == "disturbed":
        return "cannot tell: other programs ran"
    if row.verdict == "no difference":
        return "no difference beyond noise"
    away = sorted(abs(100 * (end - 1)) for end in (row.ratio.low, row.ratio.high))
    way = "more" if row.ratio.value > 1 else "less"
    judged = "worse" if row.is_worse else "better"
    return f"{judged}: B has {away[0]:.1f} to {away[1]:.1f} % {way}"
