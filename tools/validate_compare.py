"""Is `sakedge benchmark --compare` right? Measures this machine against itself and counts.

    python -m tools.validate_compare --rounds 60

Rounds of one student are measured one after the other, each in a fresh process. Every five of them
in a row and the five that follow are what two people would have measured that measured the same
(A/A): whatever is called a difference is a false alarm. Then the second five are made slower by a
known factor (A/B): whatever is not called a difference was missed.

`--from FILE` evaluates rounds that were measured before; `--synthetic` needs no machine: rounds are
drawn from a distribution that is heavy-tailed and in which nothing differs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sakedge.assets import demo_student
from sakedge.benchmarking import Plan
from sakedge.benchmarking.one_round import Request
from sakedge.benchmarking.ranks import ratio
from sakedge.benchmarking.results import LEVEL, median_ms, run_of
from sakedge.benchmarking.rounds import fresh_round
from sakedge.benchmarking.widening import Side, leaves_out_one, ratios

EACH = 5
PLAUSIBLE = 0.05
"""Rate of false alarms: 1 % is allowed, and pairs that overlap fail together."""
FACTORS = (1.02, 1.05, 1.1, 1.2, 1.5, 2.0, 4.0)


@dataclass(frozen=True)
class One:
    """A round: the median latency, and the largest share of it that others can have cost."""

    ms: float
    delayed: float


def main() -> int:
    """1 if two that are the same are called different more often than is plausible."""
    parser = argparse.ArgumentParser(prog="python -m tools.validate_compare", description=__doc__)
    parser.add_argument("student", nargs="?", type=Path, default=demo_student())
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=1.0, help="in each round")
    parser.add_argument("--threads", type=int, help="of the student")
    parser.add_argument("-o", "--output", type=Path, help="keep the rounds")
    parser.add_argument("--from", dest="source", type=Path, help="evaluate these instead")
    parser.add_argument("--synthetic", type=int, metavar="N", help="N pairs of drawn rounds")
    args = parser.parse_args()
    if args.synthetic:
        synthetic(args.synthetic)
        return 0
    if args.source:
        rounds = [One(each["ms"], each["delayed"]) for each in json.loads(args.source.read_text())]
    else:
        rounds = measure(args.student, args.rounds, args.seconds, args.threads)
    if args.output:
        args.output.write_text(json.dumps([vars(each) for each in rounds]))
    return int(report(rounds) > PLAUSIBLE)


def measure(student: Path, count: int, seconds: float, threads: int | None) -> list[One]:
    """Rounds, one after the other."""
    options = {} if threads is None else {"threads": threads}
    request = Request(str(student), (), Plan(duration=seconds), options)
    found = []
    for number in range(count):
        run = run_of(fresh_round(request, lambda step, share: None).found, 1)
        found.append(One(median_ms(run), run.delayed or 0.0))
        print(f"\r{number + 1} of {count}: {found[-1].ms:.1f} ms", end="", flush=True)
    print()
    return found


def report(rounds: Sequence[One]) -> float:
    """Prints how often two that are the same, and two that are not, are said to differ.

    Returns:
        The rate of false alarms.
    """
    times = [each.ms for each in rounds]
    shares = [each.delayed for each in rounds]
    low, middle, high = np.percentile(times, (5, 50, 95))
    print(f"{len(rounds)} rounds: median {middle:.1f} ms, 90 % of them {low:.1f} to {high:.1f} ms")
    print(f"others can have cost {100 * np.median(shares):.0f} % of the time (median)")
    pairs = [(i, i + EACH) for i in range(len(rounds) - 2 * EACH + 1)]
    print(f"{len(pairs)} pairs of {EACH} rounds in a row each, intervals of {100 * LEVEL:.0f} %")
    print("| B over A | called a difference | by the rounds alone |")
    print("| ---: | ---: | ---: |")
    alarms = 0
    for factor in (1.0, *FACTORS):
        widened = plain = 0
        for i, j in pairs:
            first, second = rounds[i : i + EACH], rounds[j : j + EACH]
            found = ratios(side(first), side(second, factor), LEVEL)
            assert found is not None
            plain += leaves_out_one(found[0])
            widened += leaves_out_one(found[1])
        alarms = widened if factor == 1 else alarms
        shown = " | ".join(f"{100 * each / len(pairs):.0f} %" for each in (widened, plain))
        print(f"| {factor:g} | {shown} |")
    print(f"false alarms: {alarms} of {len(pairs)} pairs")
    return alarms / len(pairs)


def side(rounds: Sequence[One], factor: float = 1.0) -> Side:
    return Side([factor * each.ms for each in rounds], [each.delayed for each in rounds])


def differ(a: Sequence[float], b: Sequence[float]) -> bool:
    found = ratio(a, b, LEVEL)
    return found is not None and leaves_out_one(found)


def synthetic(pairs: int) -> None:
    """Prints the rate of false alarms where rounds are exchangeable but unruly."""
    random = np.random.default_rng(0)
    for each in (EACH, 8, 12):
        alarms = sum(differ(*np.exp(0.05 * random.standard_t(2, (2, each)))) for _ in range(pairs))
        print(
            f"{each} rounds each: {alarms} of {pairs} false alarms ({100 * alarms / pairs:.2f} %)"
        )


if __name__ == "__main__":
    sys.exit(main())
