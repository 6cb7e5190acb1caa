"""Many threads, mixed calls and exchanges give what one thread gives, in bounded memory."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from tests.kernels.loaded import Loaded
from tests.kernels.students import RandomStudent, Spec, make_student

from sakedge.decoder import Decoded
from sakedge.images.window import Window

CALLS = 1000
THREADS = 8

FORK = """
import os, sys
from tests.kernels.loaded import Loaded
from tests.kernels.students import Spec, make_student
loaded = Loaded(make_student(Spec()), threads=4)
child = os.fork()
if child == 0:
    del loaded
    sys.exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def call(student: RandomStudent, loaded: Loaded, number: int) -> list[Decoded]:
    """One of a few dozen different calls."""
    names = student.manifest.adapter_names
    tasks = student.manifest.task_names
    batch = 1 + number % 2
    adapters = [names[: (number + i) % 3] for i in range(batch)]  # never c
    return loaded.run(
        student.features(batch, seed=number % 4),
        tasks=tasks[number % 5 :] + tasks[: number % 3],
        adapters=adapters,
        windows=[Window(9 + number % 7, 12)] * batch,
        logits=number % 2 == 0,
        min_weight=0.2 if number % 3 == 0 else 0.0,
    )


def fingerprint(decoded: list[Decoded]) -> bytes:
    return b"".join(
        array.tobytes()
        for image in decoded
        for arrays in (image.values, image.logits, image.routing)
        for array in arrays.values()
    )


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_thousand_mixed_calls_from_eight_threads_equal_serial_ones(precision: str) -> None:
    student = make_student(Spec(grid=(5, 13)))
    loaded = Loaded(student, threads=3, precision=precision)
    kinds = 420  # 2, 3, 4, 5 and 7 repeat together
    serial = [fingerprint(call(student, loaded, n)) for n in range(kinds)]
    stop = threading.Event()

    def exchange_c() -> None:
        while not stop.is_set():
            loaded.exchange("c", None)
            loaded.exchange("c", student.adapters["c"])

    exchanger = threading.Thread(target=exchange_c)
    exchanger.start()
    process = psutil.Process()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda n: call(student, loaded, n), range(kinds)))
        settled = process.memory_info().rss
        same = pool.map(
            lambda n: fingerprint(call(student, loaded, n)) == serial[n % kinds], range(CALLS)
        )
        wrong = [n for n, is_same in enumerate(same) if not is_same]
    stop.set()
    exchanger.join()
    assert wrong == []
    # A leak of a single tile of scratch a call would be 25 MB.
    assert process.memory_info().rss - settled < 8 * 2**20


def test_a_run_sees_one_snapshot_of_the_adapters() -> None:
    student = make_student(Spec(grid=(10, 13), blocks=8, levels=(1, 4, 7)))
    versions = [
        make_student(Spec(blocks=8, levels=(1, 4, 7), seed=s)).adapters["b"] for s in (5, 6)
    ]
    loaded = Loaded(student)
    features = student.features()

    def logits() -> bytes:
        (out,) = loaded.run(
            features, tasks=["depth"], adapters=[("b",)], windows=[Window(4, 4)], logits=True
        )
        return out.logits["depth"].tobytes()

    expected = set()
    for version in versions:
        loaded.exchange("b", version)
        expected.add(logits())
    assert len(expected) == 2
    stop = threading.Event()

    def swap() -> None:
        number = 0
        while not stop.is_set():
            loaded.exchange("b", versions[number % 2])
            number += 1

    swapper = threading.Thread(target=swap)
    swapper.start()
    with ThreadPoolExecutor(4) as pool:
        seen = set(pool.map(lambda _: logits(), range(200)))
    stop.set()
    swapper.join()
    assert seen <= expected


def test_a_forked_child_can_drop_the_decoder_and_end() -> None:
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip().splitlines()[-1:] == ["7"], done.stderr
