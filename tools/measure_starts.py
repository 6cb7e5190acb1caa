"""The start of a line: `python -m tools.measure_starts` loads a student in fresh processes.

It does so without a cache, from the cache, and from it with `config={"warm_up": True}`, and prints
the least milliseconds of some processes, for other jobs only ever add to a time; behind them those
of the processor, summed over threads.
"""

from __future__ import annotations

import argparse
import tempfile
from typing import Any

from sakedge.assets import demo_student
from sakedge.backends import registry
from sakedge.compiling.ahead import Start, start
from sakedge.runtime.machine import cpu_model

ROWS: dict[str, dict[str, Any]] = {
    "no cache": {"cache_dir": ""},
    "from the cache": {},
    "from the cache, warmed up": {"config": {"warm_up": True}},
}
"""What is measured, and the arguments of `sakedge.load` that make it."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.measure_starts", description=__doc__)
    parser.add_argument("student", nargs="?", default=demo_student(), help="default: the demo's")
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--backend", choices=registry.names(), action="append")
    given = parser.parse_args()
    print(f"{cpu_model()}; least of {given.starts} processes, ms")
    print("| backend | start | cache | load | first inference | later ones |")
    print("|---|---|---|---|---|---|")
    for backend in given.backend or registry.names():
        with tempfile.TemporaryDirectory() as cache:
            base = {"path": given.student, "backend": backend, "precision": given.precision}
            base["cache_dir"] = cache
            start(base)
            for name, more in ROWS.items():
                told = [start({**base, **more}) for _ in range(given.starts)]
                print(f"| {backend} | {name} | {told[0].cache} | {_row(told)} |", flush=True)


def _row(told: list[Start]) -> str:
    wall = {"load": "load_ms", "first": "first_ms", "later": "later_ms"}
    cells = (
        f"{min(getattr(each, field) for each in told):.0f} "
        f"({min(each.processor_ms[name] for each in told):.0f})"
        for name, field in wall.items()
    )
    return " | ".join(cells)


if __name__ == "__main__":
    main()
