"""The long checks, that no change waits for: `make qualify`.

Every check is a command of this repository. What it printed last, when, of which commit and on
which CPU is a row of docs/qualification.md; checks that are not run keep theirs.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from tools.fuzz.targets import TARGETS

from sakedge.runtime.machine import cpu_model

ROOT = Path(__file__).parents[1]
RECORD = ROOT / "docs" / "qualification.md"
LOGS = ROOT / "build" / "qualify"
HEADER = ("check", "outcome", "date", "commit", "CPU", "minutes", "last line")
INTRODUCTION = """# Qualification

What `make qualify` ran for too long to be part of `.ci/run`: the last run of each check. The
commands are in `tools/qualify.py`, and any check can be run alone:
`make qualify CHECKS=soak-captures`. A `+` after a commit: with changes that were not committed.

"""


@dataclass(frozen=True)
class Check:
    """A command, without the interpreter, and what it adds to the environment."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


KERNEL_TESTS = ("-m", "pytest", "-q", "tests/kernels", "tests/models")
CHECKS: dict[str, Check] = {
    **{
        f"fuzz-{target}": Check(("-m", "tools.fuzz", target, "--seconds", "300"))
        for target in TARGETS
    },
    "soak-exits-onnxruntime": Check(("-m", "tools.soak_exits", "--exits", "50")),
    "soak-exits-openvino": Check(
        ("-m", "tools.soak_exits", "--exits", "50", "--backend", "openvino")
    ),
    "examples": Check(("-m", "pytest", "-q", "tests/docs/examples_test.py", "--long-examples")),
    "crash-store": Check(("-m", "tools.crash_store")),
    "crash-bundle": Check(("-m", "tools.check_bundle", "kills")),
    **{
        f"bundle-{machine}-py{python}": Check(
            ("-m", "tools.check_bundle", "install", "--machine", machine, "--python", python)
        )
        for machine, python in (("x86_64", "3.11"), ("x86_64", "3.13"))
    },
    # Without OpenVINO, which takes minutes for an image in an emulated Arm.
    "bundle-aarch64-py3.11": Check(
        (
            *("-m", "tools.check_bundle", "install", "--machine", "aarch64", "--python", "3.11"),
            *("--extras", "trust"),
        )
    ),
    "bundle-jetson": Check(("-m", "tools.check_bundle", "targets", "jetson-jp6", "jetson-jp7")),
    "soak-captures": Check(("-m", "tools.soak_captures")),
    **{
        f"exports-{size}": Check(("-m", "tools.check_exports", size))
        for size in ("vit_small", "vit_base", "vit_large")
    },
    **{
        f"soak-swaps-{model}-{backend}": Check(
            (
                *("-m", "tools.soak_swaps", "--model", model, "--backend", backend),
                *("--swaps", "1000" if model == "host" else "200"),
            )
        )
        for model in ("host", "graph")
        for backend in ("onnxruntime", "openvino")
    },
    "benchmark-compare": Check(("-m", "tools.validate_compare", "--rounds", "60")),
    "benchmark-box": Check(
        ("-m", "tools.bench_box", "-o", "build/qualify/box", "--soak", "10", "--interval", "1s")
    ),
    "cuda-long": Check(("-m", "pytest", "-q", "tests/cuda", "--cuda-long")),
    "cuda-host-sanitized": Check(("-m", "tools.sanitize_cuda")),
    "wheels": Check(("-m", "tools.wheels", "--check")),
    "wheels-aarch64": Check(("-m", "tools.wheels.arm")),
    "kernels-windows": Check(("-m", "tools.wheels.windows")),
    "kernels-generic": Check(KERNEL_TESTS, {"SAKEDGE_ISA": "generic"}),
    "kernels-address-undefined": Check(("-m", "tools.sanitize", "address,undefined")),
    "kernels-thread": Check(("-m", "tools.sanitize", "thread")),
}
"""The kernels of 64-bit Arm run under an emulator in `.ci/run` already."""


def run(name: str) -> tuple[str, ...]:
    """Runs a check, its output into a log; returns its row."""
    check = CHECKS[name]
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name}.log"
    begun = time.monotonic()
    with log.open("w") as out:
        ended = subprocess.run(
            [sys.executable, *check.command],
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **check.environment},
        )
    lines = log.read_text(errors="replace").strip().splitlines() or [""]
    changed = _git("status", "--short", "--", ".", f":!{RECORD.relative_to(ROOT)}")
    commit = _git("rev-parse", "--short", "HEAD") + ("+" if changed else "")
    return (
        name,
        "passed" if ended.returncode == 0 else f"FAILED ({ended.returncode})",
        date.today().isoformat(),
        commit,
        cpu_model() or platform.machine(),
        f"{(time.monotonic() - begun) / 60:.1f}",
        lines[-1].strip("= ").replace("|", "/")[:150],
    )


def _git(*arguments: str) -> str:
    ran = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return ran.stdout.strip()


def read_record() -> dict[str, tuple[str, ...]]:
    """The rows of the record, by check."""
    if not RECORD.exists():
        return {}
    lines = [line for line in RECORD.read_text().splitlines() if line.startswith("| ")]
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[1:]]
    return {row[0]: row for row in rows}


def write_record(rows: Mapping[str, tuple[str, ...]]) -> None:
    """Writes the rows in the order of the checks; those of checks that are gone are dropped."""
    table = [HEADER, tuple("-" * len(cell) for cell in HEADER)]
    table += [rows[name] for name in CHECKS if name in rows]
    text = "".join(f"| {' | '.join(row)} |\n" for row in table)
    RECORD.write_text(INTRODUCTION + text)


def main() -> int:
    """Runs the checks named, or all; 1 if one failed."""
    parser = argparse.ArgumentParser(prog="python -m tools.qualify", description=__doc__)
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=", ".join(CHECKS))
    names = parser.parse_args().checks or list(CHECKS)
    for unknown in set(names) - set(CHECKS):
        parser.error(f"no check {unknown}; there are {', '.join(CHECKS)}")
    failed = False
    for name in names:
        print(f"{name} …", end=" ", flush=True)
        row = run(name)
        print(f"{row[1]} after {row[5]} min: {row[6]}", flush=True)
        failed |= row[1] != "passed"
        write_record({**read_record(), name: row})
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
