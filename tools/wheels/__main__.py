"""Builds all wheels, or those asked for, and prints what each one needs and how it was checked.

    python -m tools.wheels                                       # into dist/ and dist/cuda/
    python -m tools.wheels --python 3.12 --machine aarch64 --no-cuda
    python -m tools.wheels --check                               # installs and runs what runs here

A Python whose headers are neither here nor at Debian is left out, by name, and the exit code is 2.
"""

from __future__ import annotations

import argparse
import hashlib
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.wheels.build import ROOT, BuildError, build, missing_tools
from tools.wheels.check import TrialError, install_and_try
from tools.wheels.interpreters import HeadersError, interpreter
from tools.wheels.measure import WrongWheelError, check_claim, measure
from tools.wheels.targets import MACHINES, PYTHONS, Target, all_targets

COLUMNS = ("wheel", "MiB", "needs glibc", "checked", "SHA-256")


def main() -> int:
    """Builds and prints; 1 if one failed, 2 if one was left out."""
    parser = argparse.ArgumentParser(prog="python -m tools.wheels", description=__doc__)
    parser.add_argument("--python", action="append", choices=PYTHONS, help="default: all")
    parser.add_argument("--machine", action="append", choices=MACHINES, help="default: all")
    parser.add_argument("--cuda", action=argparse.BooleanOptionalAction, help="default: both")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="default: dist")
    parser.add_argument("--check", action="store_true", help="install and run what runs here")
    given = parser.parse_args()
    targets = [
        target
        for target in all_targets()
        if target.python in (given.python or PYTHONS)
        and target.machine in (given.machine or MACHINES)
        and given.cuda in (None, target.cuda)
    ]
    if lacking := missing_tools(tuple({target.machine for target in targets})):
        parser.error("not installed: " + ", ".join(lacking))
    rows, code = [], 0
    for target in targets:
        print(f"{target.tag} {target.machine}{' cuda' * target.cuda} …", file=sys.stderr)
        try:
            wheel = build(target, given.output / "cuda" if target.cuda else given.output)
            rows.append(describe(wheel, target, given.check))
        except HeadersError as error:
            code = max(code, 2)
            print(f"left out: {target.tag} {target.machine}: {error}", file=sys.stderr)
        except (BuildError, WrongWheelError, TrialError) as error:
            code = 1
            print(f"FAILED: {target.tag} {target.machine}: {error}", file=sys.stderr)
    print(table(rows))
    return code


def describe(wheel: Path, target: Target, check: bool) -> tuple[str, ...]:
    """A row of the table, once the wheel has passed the checks that it names."""
    measured = measure(wheel, target)
    check_claim(wheel, measured.glibc)
    checked = "ABI and symbols"
    if check and target.machine == platform.machine():
        path = interpreter(target.python)
        if path is None:
            checked += f" (no python{target.python} here)"
        else:
            found = install_and_try(wheel, path)
            checked = f"installed and run, Python {found['python']}, {found['isa']}"
    return (
        f"{'cuda/' * target.cuda}{wheel.name}",
        f"{wheel.stat().st_size / 2**20:.1f}",
        ".".join(map(str, measured.glibc)),
        checked,
        hashlib.sha256(wheel.read_bytes()).hexdigest(),
    )


def table(rows: Sequence[Sequence[str]]) -> str:
    """Markdown."""
    lines = [COLUMNS, tuple("---" for _ in COLUMNS), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
