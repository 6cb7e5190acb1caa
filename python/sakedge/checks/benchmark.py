"""Measures one student on this machine: loading, latency by stage, throughput, memory."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sakedge.api import load
from sakedge.arguments import in_range
from sakedge.images import ImageLike
from sakedge.images.examples import example, fitted
from sakedge.progress import Progress
from sakedge.runtime import machine


@dataclass(frozen=True)
class Latency:
    """Distribution of milliseconds; a percentile is a measured value, never interpolated."""

    mean: float
    p50: float
    p90: float
    p99: float
    min: float
    max: float

    @classmethod
    def of(cls, milliseconds: Sequence[float]) -> Latency:
        """Summarises measured values; at least one."""
        values = np.asarray(milliseconds, np.float64)
        p50, p90, p99 = np.percentile(values, (50, 90, 99), method="inverted_cdf")
        low, high = values.min(), values.max()
        return cls(*(float(v) for v in (values.mean(), p50, p90, p99, low, high)))


@dataclass(frozen=True)
class Benchmark:
    """What was measured.

    Attributes:
        student: What runs: `student.explain()`.
        batch: Images in one call.
        iterations: Calls that were measured.
        read_ms: Time to open the file and to read and check the stem.
        compile_ms: Time to compile the stem, in a fresh process including the import of the
            runtime.
        decoder_ms: Time to read and pack the decoder's weights.
        first_inference_ms: The first call.
        latency_ms: Of a call, from pixels to decoded outputs.
        stages_ms: By stage, an image's share of a call.
        throughput_fps: Images per second, over all measured calls.
        memory: Bytes of this process: `loaded` after loading, `current` and `peak` at the end; None
            where the system does not report it.
        machine: CPU, instruction sets, processors, versions.
    """

    student: Mapping[str, Any]
    batch: int
    iterations: int
    read_ms: float
    compile_ms: float
    decoder_ms: float
    first_inference_ms: float
    latency_ms: Latency
    stages_ms: Mapping[str, Latency]
    throughput_fps: float
    memory: Mapping[str, int | None]
    machine: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return asdict(self)


def benchmark(
    path: str | Path,
    images: Sequence[ImageLike] = (),
    *,
    batch: int = 1,
    iterations: int | None = None,
    duration: float = 10.0,
    warmup: int = 3,
    progress: Progress | None = None,
    **options: Any,
) -> Benchmark:
    """Loads a student in this process and calls it over and over.

    Args:
        path: The student.
        images: Images, stretched to the student's input size and taken in turn; without any, an
            example.
        batch: Images in one call.
        iterations: Calls to measure; None is as many as fit into `duration`, at least 10.
        duration: Seconds to measure for.
        warmup: Calls before that, not measured; the very first call is always timed separately.
        progress: Called with the progress made.
        **options: As for `sakedge.load`.

    Raises:
        OptionError: A number is out of range.
        SakedgeError: The student or an image cannot be used.
    """
    in_range("batch", batch, low=1, whole=True)
    if iterations is not None:
        in_range("iterations", iterations, low=1, whole=True)
    in_range("duration", duration, above=0)
    in_range("warmup", warmup, low=0, whole=True)
    tell = progress or (lambda step, share: None)
    tell("loading", 0.0)
    with load(path, **options) as student:
        loaded = machine.resident()
        size = student.input_size
        pictures = [fitted(image, size) for image in images] or [example(size)]
        calls = [
            [pictures[(start + i) % len(pictures)] for i in range(batch)]
            for start in range(len(pictures))
        ]
        tell("first inference", 0.0)
        start = time.perf_counter()
        student(calls[0])
        first = 1000 * (time.perf_counter() - start)
        for i in range(warmup):
            tell("warming up", 0.0)
            student(calls[i % len(calls)])
        spent: list[float] = []
        stages: dict[str, list[float]] = {}
        begin = time.perf_counter()
        while _goes_on(len(spent), begin, iterations, duration):
            start = time.perf_counter()
            results = student(calls[len(spent) % len(calls)])
            spent.append(1000 * (time.perf_counter() - start))
            for stage, ms in results[0].speed.items():
                stages.setdefault(stage, []).append(ms)
            tell("measuring", _share(len(spent), begin, iterations, duration))
        explanation = student.explain()
    return Benchmark(
        student=explanation.to_dict(),
        batch=batch,
        iterations=len(spent),
        read_ms=explanation.load_ms["read"],
        compile_ms=explanation.load_ms["compile"],
        decoder_ms=explanation.load_ms["decoder"],
        first_inference_ms=first,
        latency_ms=Latency.of(spent),
        stages_ms={stage: Latency.of(values) for stage, values in stages.items()},
        throughput_fps=1000 * batch * len(spent) / sum(spent),
        memory={
            "loaded": loaded,
            "current": machine.resident(),
            "peak": machine.peak_resident(),
        },
        machine=machine.describe(),
    )


_FEWEST = 10


def _goes_on(done: int, begin: float, iterations: int | None, duration: float) -> bool:
    if iterations is not None:
        return done < iterations
    return done < _FEWEST or time.perf_counter() - begin < duration


def _share(done: int, begin: float, iterations: int | None, duration: float) -> float:
    if iterations is not None:
        return done / iterations
    return min(1.0, done / _FEWEST, (time.perf_counter() - begin) / duration)
