"""Many calls of one student: that they do not change each other, and what an exchange costs."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import numpy as np
from tools.gpu_check import ours
from tools.gpu_check.emulated import emulate
from tools.gpu_check.step import Given
from tools.soak_swaps import Callers, digests, exchange, make_packs

_MIXED = 1000
_SWAPS = 60
_SWAP_MS = 5.0
"""What an exchange shall take at most, for ViT-B."""


def run(given: Given) -> None:
    """Mixed calls, then exchanges while other threads call."""
    path = ours.student_file(given)
    if given.rehearse:
        emulate()
    with ours.load(path, "fp16", max_batch=8) as student:
        _mixed(given, student, 20 if given.rehearse else _MIXED)
        _swaps(given, student, path, 6 if given.rehearse else _SWAPS)


def _mixed(given: Given, student: Any, count: int) -> None:
    """Random adapters, tasks and batches; each like the first of its kind, to the bit."""
    rng = np.random.default_rng(0)
    pictures = ours.images(student.input_size, 3)
    adapters, tasks = list(student.adapters.active), list(student.tasks)
    batches = (1, 2) if given.rehearse else (1, 1, 2, 3, 8)
    first: dict[tuple[Any, ...], Any] = {}
    different, alone = 0, 0
    begun = time.monotonic()
    for _ in range(count):
        some = tuple(name for name in adapters if rng.random() < 0.6)
        wanted = tuple(name for name in tasks if rng.random() < 0.5) or (tasks[0],)
        chosen = rng.integers(0, len(pictures), rng.choice(batches)).tolist()
        results = student([pictures[i] for i in chosen], adapters=list(some), tasks=list(wanted))
        for i, result in zip(chosen, results, strict=True):
            known = first.setdefault((i, some, wanted, len(chosen)), result)
            different += not _equal(known, result)
            single = first.get((i, some, wanted, 1))
            alone += single is not None and not _equal(single, result)
    spent = time.monotonic() - begun
    given.findings.judged(
        f"{count} mixed calls",
        different == 0,
        f"{different} results differ from the first of their kind, {len(first)} kinds, "
        f"{spent:.1f} s",
    )
    given.findings.measured("batches", f"{alone} results differ from those of the image alone")


def _equal(one: Any, other: Any) -> bool:
    return all(np.array_equal(one[task].values, other[task].values) for task in other)


def _swaps(given: Given, student: Any, path: Path, count: int) -> None:
    picture = ours.images(student.input_size, 1)[0]
    adapter = student.adapters.active[-1]
    packs = make_packs(path, adapter, given.output, (0.5, 2.0))
    expected = {}
    for pack in packs:
        exchange(student, adapter, pack)
        result = student(picture)
        expected[digests(result)] = result
    callers = Callers(student, picture, expected)
    callers.start(2)
    spent = []
    callers.changing(True)
    for pack in itertools.islice(itertools.cycle(packs), count):
        begun = time.perf_counter()
        exchange(student, adapter, pack)
        spent.append(1000 * (time.perf_counter() - begun))
        callers.ended.clear()
        callers.ended.wait(10)
    callers.stop()
    given.findings.judged(
        f"{count} exchanges while two threads call",
        not callers.failures,
        "; ".join(callers.failures[:3]) or f"{len(callers.calls[True])} calls, all of one set",
    )
    middle, longest = float(np.median(spent)), max(spent)
    given.findings.measured(
        "exchange",
        f"median {middle:.1f} ms, longest {longest:.1f} ms "
        f"({'within' if longest <= _SWAP_MS else 'over'} {_SWAP_MS:g} ms)",
        swap_ms_median=middle,
        swap_ms_longest=longest,
    )
