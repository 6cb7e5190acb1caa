"""Builds the benchmark, runs it and prints a table; `-o FILE` also writes what was measured.

    python -m tools.bench_kernels -o docs/performance/kernels.json

One thread. `of peak` sets a product against what the same instruction set reaches in the same run
with all operands in the first-level cache.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sakedge import machine
from sakedge.format.atomic import atomic_write, make_folder

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "bench_kernels"

Row = Mapping[str, Any]


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


def products(rows: Sequence[Row]) -> str:
    """Kernels that multiply matrices: one line for each size and kernel."""
    lines = [
        "| kernel | student | instruction set | arithmetic | µs | G operations/s | of peak |",
        "| --- | --- | --- | --- | ---: | ---: | ---: |",
    ]
    for row in rows:
        if row.get("gflops"):
            share = row["gflops"] / row["peak_gflops"]
            lines.append(
                f"| {row['kernel']} | {row['student']} | {row['isa']} | {row['arithmetic']} "
                f"| {row['microseconds']:.1f} | {row['gflops']:.1f} | {100 * share:.0f} % |"
            )
    return "\n".join(lines)


def others(rows: Sequence[Row]) -> str:
    """Kernels that work value by value: one line for each kernel, a column for each ISA."""
    alone = [row for row in rows if "nanoseconds_per_item" in row]
    isas = list(dict.fromkeys(row["isa"] for row in alone))
    lines = [f"| ns per value | {' | '.join(isas)} |", f"| --- |{' ---: |' * len(isas)}"]
    for kernel in dict.fromkeys(row["kernel"] for row in alone):
        by_isa = {row["isa"]: row for row in alone if row["kernel"] == kernel}
        cells = (f"{by_isa[isa]['nanoseconds_per_item']:.3f}" for isa in isas)
        lines.append(f"| {kernel} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
