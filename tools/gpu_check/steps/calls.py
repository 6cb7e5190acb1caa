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
"""What a prepared exchange shall take at most, for ViT-B."""


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
    given.findings.judged(
        "batches", alone == 0, f"{alone} results differ from those of the image alone"
    )


def _equal(one: Any, other: Any) -> bool:
    return all(np.array_equal(one[task].values, other[task].values) for task in other)


def _swaps(given: Given, student: Any, path: Path, count: int) -> None:
    """Exchanges from a pack's file, and of adapters that were made ready before."""
    picture = ours.images(student.input_size, 1)[0]
    slots = student.adapters
    adapter = slots.active[-1]
    packs = make_packs(path, adapter, given.output, (0.5, 2.0))
    ready = [f"{adapter}@v{i}" for i in range(len(packs))]
    for pack, label in zip(packs, ready, strict=True):
        slots.add(pack, label)
    acts = {
        "exchange": [lambda pack=pack: exchange(student, adapter, pack) for pack in packs],
        "prepared exchange": [lambda label=label: slots.activate(label) for label in ready],
    }
    expected = {}
    for act in itertools.chain(*acts.values()):
        act()
        result = student(picture)
        expected[digests(result)] = result
    callers = Callers(student, picture, expected)
    callers.start(2)
    callers.changing(True)
    for what, choices in acts.items():
        spent = []
        for act in itertools.islice(itertools.cycle(choices), count):
            begun = time.perf_counter()
            act()
            spent.append(1000 * (time.perf_counter() - begun))
            callers.ended.clear()
            callers.ended.wait(10)
        middle, longest = float(np.median(spent)), max(spent)
        given.findings.measured(
            what,
            f"median {middle:.2f} ms, longest {longest:.2f} ms",
            **{f"{what}, ms": {"median": middle, "longest": longest}},
        )
    callers.stop()
    given.findings.judged(
        f"{2 * count} exchanges while two threads call",
        not callers.failures,
        "; ".join(callers.failures[:3]) or f"{len(callers.calls[True])} calls, all of one set",
    )
    given.findings.judged(
        f"a prepared exchange within {_SWAP_MS:g} ms",
        given.rehearse or longest <= _SWAP_MS,
        f"longest {longest:.2f} ms",
    )
