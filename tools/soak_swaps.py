"""Adapters swapped under load: `python -m tools.soak_swaps --model graph --backend openvino`.

Threads call the demo student while one of its adapters is swapped and removed again and again, in
turns with times in which nothing changes. No call may fail, and each result must be, to the bit,
what a student at rest gives with the adapters that the result names. Printed: the longest exchange,
the slowest calls with and without exchanges, and the memory after the first 50 and at the end.
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
import psutil

import sakedge
from sakedge.assets import demo_student
from sakedge.format import StudentFile, extract_part, write_pack

Digests = frozenset[tuple[str, str]]
WARM = 50
"""Exchanges until the memory of the runtime, of the caches and of the allocator has settled."""


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


class Callers:
    """Threads that call a student, each result compared with what is expected.

    Attributes:
        calls: Milliseconds of each call, with exchanges going on or not.
        failures: What went wrong.
        seen: The sets of parts that made results.
    """

    def __init__(
        self, student: sakedge.Student, image: np.ndarray, expected: dict[Digests, sakedge.Result]
    ) -> None:
        self.calls: dict[bool, list[float]] = {True: [], False: []}
        self.failures: list[str] = []
        self.seen: set[Digests] = set()
        self.ended = threading.Event()
        self._student, self._image, self._expected = student, image, expected
        self._changing = False
        self._done = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, count: int) -> None:
        """Starts so many threads."""
        self._threads = [threading.Thread(target=self._call) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def changing(self, now: bool) -> None:
        """Says whether exchanges go on from now."""
        self._changing = now

    def stop(self) -> None:
        """Ends the threads."""
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _call(self) -> None:
        while not self._done.is_set():
            before, start = self._changing, time.perf_counter()
            try:
                result = self._student(self._image)
            except Exception as error:
                self.failures.append(f"{type(error).__name__}: {error}")
                continue
            ms = 1000 * (time.perf_counter() - start)
            if before == self._changing:  # one in which that changed is neither
                self.calls[before].append(ms)
            made = digests(result)
            if made not in self._expected or not alike(result, self._expected[made]):
                self.failures.append(f"a result is not that of {sorted(made)}")
            self.seen.add(made)
            self.ended.set()


def main() -> int:
    """1 if a call failed or a result was mixed."""
    parser = argparse.ArgumentParser(prog="python -m tools.soak_swaps", description=__doc__)
    parser.add_argument("--model", default="graph")
    parser.add_argument("--backend", default="onnxruntime")
    parser.add_argument("--swaps", type=int, default=200)
    parser.add_argument("--threads", type=int, default=4, help="Threads that call.")
    parser.add_argument("--rounds", type=int, default=10, help="Turns with and without exchanges.")
    arguments = parser.parse_args()
    path = demo_student()
    options = {"backend": arguments.backend, "config": {"model": arguments.model}}
    image = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    process = psutil.Process()
    settled, resident = 0, []
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
        callers = Callers(student, image, expected)
        callers.start(arguments.threads)
        cycle, longest, done = itertools.cycle(turns), 0.0, 0
        for round_ in range(arguments.rounds):
            callers.changing(True)
            begun = time.monotonic()
            while done < arguments.swaps * (round_ + 1) // arguments.rounds:
                start = time.monotonic()
                exchange(student, adapter, next(cycle))
                longest = max(longest, time.monotonic() - start)
                done += 1
                if done == WARM:
                    settled = process.memory_info().rss
                callers.ended.clear()
                callers.ended.wait()  # a call between two at least, however fast they are
            callers.changing(False)
            resident.append(process.memory_info().rss)
            time.sleep(time.monotonic() - begun)  # as long without
        callers.stop()
        rss = process.memory_info().rss
    for failure in callers.failures[:10]:
        print(failure)
    total = sum(map(len, callers.calls.values()))
    print(
        f"{arguments.model} in {arguments.backend}: {done} swaps from {arguments.threads} calling "
        f"threads, the longest {1000 * longest:.0f} ms; {total} calls on {len(callers.seen)} sets "
        f"of adapters, {len(callers.failures)} failed or mixed"
    )
    for share in (50, 99, 99.9):
        with_, without = (float(np.percentile(callers.calls[on], share)) for on in (True, False))
        print(
            f"p{share:g} of a call: {with_:.1f} ms with swaps, {without:.1f} ms without, "
            f"{with_ / without:.2f}"
        )
    print(
        f"memory after {WARM} swaps {settled / 2**20:.0f} MiB, at the end {rss / 2**20:.0f} MiB, "
        f"{rss / settled - 1:+.1%}"
    )
    print(f"after each round {', '.join(f'{each / 2**20:.0f}' for each in resident)} MiB")
    return 1 if callers.failures or len(callers.seen) < len(turns) else 0


if __name__ == "__main__":
    sys.exit(main())
