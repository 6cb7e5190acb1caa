"""What exchanging an adapter costs: `python -m tools.bench_swaps student.onnx`.

Exchanges of the student's last adapter, from what is read to what is active, and what a call pays
for choosing tasks and adapters: calls in turn that switch each time, and that do not, compared pair
by pair. JSON with the machine, for docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from tools.soak_swaps import make_packs

import sakedge
from sakedge.adapters.exchanger import Exchanger
from sakedge.runtime import machine


@contextmanager
def timed_lock(exchanger: Exchanger) -> Iterator[list[float]]:
    """Milliseconds for which each exchange holds the lock that other exchanges wait for."""
    held: list[float] = []
    lock = exchanger._changing

    class Timed:
        def __enter__(self) -> None:
            lock.acquire()
            self.start = time.perf_counter()

        def __exit__(self, *_: object) -> None:
            held.append(1000 * (time.perf_counter() - self.start))
            lock.release()

    exchanger._changing = Timed()  # type: ignore[assignment]
    try:
        yield held
    finally:
        exchanger._changing = lock


def spread(values: list[float]) -> dict[str, float]:
    """Median, smallest and largest."""
    return {
        "median": round(statistics.median(values), 4),
        "least": round(min(values), 4),
        "most": round(max(values), 4),
    }


def timed(act: Callable[[], object]) -> float:
    """Milliseconds of an act."""
    start = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - start)


def exchanges(student: sakedge.Student, packs: list[Path], count: int) -> dict[str, Any]:
    """Exchanges at rest, with a warm page cache."""
    slots = student.adapters
    name = slots.active[-1]
    labels = []
    for i, pack in enumerate(packs):
        labels.append(f"{name}@v{i}")
        slots.add(pack, labels[-1])
    with timed_lock(slots._exchanger) as held:
        ready = [timed(lambda i=i: slots.activate(labels[i % len(labels)])) for i in range(count)]
        locked = list(held)
    for label in labels:
        slots.remove(label)
    whole = [timed(lambda i=i: slots.swap(name, packs[i % len(packs)])) for i in range(count)]
    return {
        "prepared exchange, ms": spread(ready),
        "of it holding the lock of exchanges, ms": spread(locked),
        "pack path to active, ms": spread(whole),
        "pack, MB": round(packs[0].stat().st_size / 1e6, 1),
    }


def switching(student: sakedge.Student, image: np.ndarray, rounds: int) -> dict[str, Any]:
    """The same calls ordered so that each switches, or that none does."""
    names, tasks = student.adapters.active, student.tasks
    settings: list[dict[str, Any]] = [
        {"adapters": list(names), "tasks": [tasks[0]]},
        {"adapters": [names[0]], "tasks": [tasks[-1]]},
    ]

    def run(order: list[int]) -> float:
        return sum(timed(lambda i=i: student(image, **settings[i])) for i in order)

    for setting in settings:
        student(image, **setting)
    ratios = []
    for _ in range(rounds):
        switched, grouped = run([0, 1] * 4), run([0] * 4 + [1] * 4)
        ratios.append(switched / grouped)
    return {"calls that switch / calls that do not": spread(ratios)}


def choosing(student: sakedge.Student) -> dict[str, Any]:
    """What choosing a snapshot takes."""
    names = student.adapters.active
    for each in ([], list(names), [names[0]]):
        student.adapters.choose(each, 1, student.tasks)
    times = [
        timed(lambda i=i: student.adapters.choose([names[i % len(names)]], 1, student.tasks))
        for i in range(300)
    ]
    return {"choosing adapters and tasks, ms": spread(times)}


def main() -> None:
    """Prints what was measured."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench_swaps", description=__doc__)
    parser.add_argument("student", type=Path)
    parser.add_argument("--backend", default="onnxruntime")
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--exchanges", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    options = {"backend": arguments.backend, "precision": arguments.precision}
    with (
        tempfile.TemporaryDirectory(prefix="sakedge-") as folder,
        sakedge.load(arguments.student, config={"model": "host"}, **options) as student,
    ):
        name = student.adapters.active[-1]
        packs = make_packs(arguments.student, name, Path(folder), (0.5, 2.0))
        height, width = student.input_size
        image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
        found = {
            "student": str(arguments.student),
            "machine": machine.describe(),
            "precision": arguments.precision,
            "threads": student.explain().threads,
            "other threads": threading.active_count() - 1,
            **exchanges(student, packs, arguments.exchanges),
            **choosing(student),
            **switching(student, image, arguments.rounds),
        }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
