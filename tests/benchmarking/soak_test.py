"""What a soak says of windows whose truth is known, and how it ends."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.benchmarking.records import NOTHING

from sakedge.benchmarking import Plan, benchmark
from sakedge.benchmarking.latency import Latency
from sakedge.benchmarking.record import Soak, Window
from sakedge.benchmarking.soak import judged

Of = Callable[[int], float]


def soaked(
    ms: Of,
    mib: Of = lambda i: 200.0,
    throttled: Of = lambda i: 0,
    delayed: float = 0.0,
    noise: float = 0.0,
) -> Soak:
    """An hour in sixty windows."""
    random = np.random.default_rng(0)
    windows = []
    for i in range(60):
        level = ms(i) * np.exp(noise * random.standard_normal())
        samples = level * np.exp(0.02 * random.standard_normal(50))
        state = NOTHING.model_copy(update={"throttle_events": int(throttled(i))})
        window = Window(
            start_s=60.0 * i,
            seconds=60.0,
            images=50,
            latency_ms=Latency.of([float(each) for each in samples]),
            throughput=1000 / float(samples.mean()),
            resident_bytes=round(mib(i) * 2**20),
            state=state,
            watts=None,
            delayed=delayed,
        )
        windows.append(window)
    return judged(windows, 60, False)


def test_noise_is_steady() -> None:
    found = soaked(lambda i: 20.0)
    assert found.steady is True
    assert found.verdict == ("steady: no trend in speed or memory beyond noise",)


def test_a_machine_that_becomes_slower_drifts_by_so_much_an_hour() -> None:
    found = soaked(lambda i: 20.0 * (1 + 0.1 * i / 60))
    assert found.steady is False and found.latency is not None
    assert found.latency.low < 9.5 < found.latency.high  # 10 % of the first, of the middle 9.5 %
    assert found.verdict[0].startswith("drifts: calls became ")


def test_warming_up_is_no_drift() -> None:
    assert soaked(lambda i: 40.0 if i < 5 else 20.0).steady is True


def test_a_drift_too_small_to_matter_is_none() -> None:
    found = soaked(lambda i: 20.0 * (1 + 0.015 * i / 60))
    assert found.latency is not None and found.latency.low > 0
    assert found.steady is True


def test_memory_that_grows_is_told() -> None:
    found = soaked(lambda i: 20.0, mib=lambda i: 200 + 0.2 * i)
    assert found.steady is False and found.verdict[0].startswith("memory grows: by ")


def test_throttling_is_told() -> None:
    found = soaked(lambda i: 20.0, throttled=lambda i: 7 if i > 30 else 3)
    assert found.verdict == ("throttled for heat: 4 times",)


def test_a_drift_while_others_ran_may_be_theirs() -> None:
    found = soaked(lambda i: 20.0 * (1 + 0.1 * i / 60), delayed=0.3)
    assert found.steady is None and "may be theirs" in found.verdict[1]


def test_noise_that_would_hide_a_drift_is_no_steadiness() -> None:
    found = soaked(lambda i: 20.0, noise=0.3)
    assert found.steady is None and found.verdict[0].startswith("too noisy to tell: a change by")


def test_a_short_soak_cannot_tell() -> None:
    windows = soaked(lambda i: 20.0).windows[:7]
    assert judged(windows, 1, True).steady is None


@pytest.mark.skipif(os.name == "nt", reason="no such signal")
def test_an_interrupt_ends_a_soak_with_what_was_measured(tiny_student: Path) -> None:
    def interrupt() -> None:
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)

    def progress(step: str, share: float) -> None:
        if step.startswith("soak") and not threads:
            threads.append(threading.Thread(target=interrupt))
            threads[0].start()

    threads: list[threading.Thread] = []
    # Tests may run in the background, where shells have SIGINT ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        found = benchmark(tiny_student, plan=Plan(rounds=1), soak_minutes=5, progress=progress)
        threads[0].join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert found.soak is not None and found.soak.interrupted
    assert found.soak.measured_minutes < 4 and len(found.soak.windows) >= 1
    assert (found.rounds, found.results) == ((), None)
    assert found.student["path"] == tiny_student.name
