"""What a student costs with some of its adapters: time and weights."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from time import perf_counter

from sakedge.format import Manifest
from sakedge.format.student.graph import tensor_specs
from sakedge.images import Picture
from sakedge.student import Student

CALLS = 7
"""Calls that a time is the median of, after one that is not timed."""


def median_ms(
    student: Student, pictures: Sequence[Picture], adapters: Sequence[str], tasks: Sequence[str]
) -> float:
    """Median milliseconds of a call, on one picture after the other."""
    spent = []
    for i in range(1 + CALLS):
        begin = perf_counter()
        student(pictures[i % len(pictures)], adapters=adapters, tasks=tasks)
        spent.append(1000 * (perf_counter() - begin))
    return median(spent[1:])


def weight_bytes(manifest: Manifest, adapters: Sequence[str], tasks: Sequence[str]) -> int:
    """Bytes of the weights that some adapters and tasks take, as the file stores them."""
    parts = {"stem", *(f"adapters.{name}" for name in adapters)}
    parts |= {f"{kind}.{task}" for task in tasks for kind in ("routers", "heads")}
    specs = tensor_specs(manifest)
    return sum(spec.nbytes for part, each in specs.items() if part in parts for spec in each)
