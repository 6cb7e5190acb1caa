"""`python -m tools.fuzz student --seconds 300`; `--start N --attempts 1` repeats an attempt."""

from __future__ import annotations

import argparse
import sys

from tools.fuzz.harness import fuzz
from tools.fuzz.targets import TARGETS


def main() -> int:
    """Fuzzes the targets named, or all; 1 if one failed."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=float, default=60, help="for each target")
    parser.add_argument("--start", type=int, default=0, help="number of the first attempt")
    parser.add_argument("--attempts", type=int, help="in place of --seconds")
    arguments = parser.parse_args()
    failed = False
    for target in arguments.targets or TARGETS:
        outcome = fuzz(
            target, start=arguments.start, attempts=arguments.attempts, seconds=arguments.seconds
        )
        refused = ", ".join(f"{name} {count}" for name, count in outcome.refused.most_common())
        print(f"{target}: {outcome.attempts} attempts; {refused or 'none refused'}", flush=True)
        for number, problem in outcome.failures.items():
            print(f"{target} {number} FAILED: {problem}", flush=True)
        failed |= bool(outcome.failures)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
