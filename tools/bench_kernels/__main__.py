"""Builds the benchmark, runs it and prints a table; `-o FILE` also writes what was measured.

    python -m tools.bench_kernels -o docs/performance/kernels.json

One thread. `of peak` compares a product with what the same instruction set reaches in the same run
with all operands in the first-level cache.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path

from tools.bench_kernels.tables import Row, others, products

from sakedge.files.atomic import atomic_write, make_folder
from sakedge.runtime import machine

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "bench_kernels"


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench_kernels", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, help="also write JSON")
    output = parser.parse_args().output
    rows = measure()
    print(products(rows))
    print()
    print(others(rows))
    if output is not None:
        make_folder(output.parent)
        with atomic_write(output) as file:
            found = {"machine": machine.describe(), "rows": rows}
            file.write(json.dumps(found, indent=1).encode())


def measure() -> list[Row]:
    """All rows that the benchmark prints."""
    options = ["-DCMAKE_BUILD_TYPE=Release", "-DSAKEDGE_PYTHON=OFF", "-DSAKEDGE_BENCHMARKS=ON"]
    target = "sakedge_bench_kernels"
    for command in (
        ["cmake", "-S", str(ROOT), "-B", str(BUILD), *options],
        ["cmake", "--build", str(BUILD), "--parallel", "2", "--target", target],
    ):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    program = next(BUILD.rglob(target))
    lines = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in lines.splitlines()]


if __name__ == "__main__":
    main()
