"""Adapters swapped under load: `python -m tools.soak_swaps --model graph --backend openvino`.

Threads call the demo student while one of its adapters is swapped and removed again and again. No
call may fail, and each result must be, to the bit, what a student at rest gives with the adapters
that the result names.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

import sakedge
from sakedge.assets import demo_student
from sakedge.format import StudentFile, extract_part, write_pack

Digests = frozenset[tuple[str, str]]


def make_packs(path: Path, adapter: str, folder: Path, factors: tuple[float, ...]) -> list[Path]:
    """Packs of an adapter whose outputs are the student's own times a factor."""
    with StudentFile.open(path) as file:
        pack = extract_part(file, f"adapters.{adapter}")
    packs = []
    for factor in factors:
        tensors = {
            name: tensor * tensor.dtype.type(factor) if name.startswith("norms.") else tensor
            for name, tensor in pack.tensors.items()
        }
        packs.append(folder / f"{adapter}-{factor}.safetensors")
        write_pack(packs[-1], pack.manifest, tensors)
    return packs


def exchange(student: sakedge.Student, adapter: str, pack: Path | None) -> None:
    """Swaps the adapter, or removes it."""
    if pack is None:
        student.adapters.remove(adapter)
    else:
        student.adapters.swap(adapter, pack)


def digests(result: sakedge.Result) -> Digests:
    """What made a result."""
    return frozenset(result.digests.items())


def alike(one: sakedge.Result, other: sakedge.Result) -> bool:
    """Whether two results are the same to the bit."""
    return all(np.array_equal(one[task].values, other[task].values) for task in other)


def main() -> int:
    """1 if a call failed or a result was mixed."""
    parser = argparse.ArgumentParser(prog="python -m tools.soak_swaps", description=__doc__)
    parser.add_argument("--model", default="graph")
    parser.add_argument("--backend", default="onnxruntime")
    parser.add_argument("--swaps", type=int, default=200)
    parser.add_argument("--threads", type=int, default=3, help="Threads that call.")
    arguments = parser.parse_args()
    path = demo_student()
    options = {"backend": arguments.backend, "config": {"model": arguments.model}}
    image = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    with (
        tempfile.TemporaryDirectory(prefix="sakedge-") as folder,
        sakedge.load(path, **options) as student,
    ):
        adapter = student.adapters.active[-1]
        packs = make_packs(path, adapter, Path(folder), (0.5, 2.0))
        turns = [*packs, None]
        expected: dict[Digests, sakedge.Result] = {}
        first = student(image)
        expected[digests(first)] = first
        for pack in turns:
            exchange(student, adapter, pack)
            result = student(image)
            expected[digests(result)] = result
        done, ended = threading.Event(), threading.Event()
        failures: list[str] = []
        seen: list[Digests] = []

        def call() -> None:
            while not done.is_set():
                try:
                    result = student(image)
                    made = digests(result)
                    if not alike(result, expected[made]):
                        failures.append(f"a result is not that of {sorted(made)}")
                    seen.append(made)
                except Exception as error:
                    failures.append(f"{type(error).__name__}: {error}")
                ended.set()

        callers = [threading.Thread(target=call) for _ in range(arguments.threads)]
        for caller in callers:
            caller.start()
        begun, longest = time.monotonic(), 0.0
        for pack in itertools.islice(itertools.cycle(turns), arguments.swaps):
            start = time.monotonic()
            exchange(student, adapter, pack)
            longest = max(longest, time.monotonic() - start)
            ended.clear()
            ended.wait()  # a call between two swaps at least, however fast they are
        spent = time.monotonic() - begun
        done.set()
        for caller in callers:
            caller.join()
    for failure in failures[:10]:
        print(failure)
    print(
        f"{arguments.model} in {arguments.backend}: {arguments.swaps} swaps in {spent:.0f} s, the "
        f"longest {1000 * longest:.0f} ms; {len(seen)} calls on {len(set(seen))} sets of adapters, "
        f"{len(failures)} failed or mixed"
    )
    return 1 if failures or len(set(seen)) < len(turns) else 0


if __name__ == "__main__":
    sys.exit(main())
