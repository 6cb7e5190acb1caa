"""Tables of what was measured."""

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
"""One line of the benchmark: a kernel of one instruction set on one size."""


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
