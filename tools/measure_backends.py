"""Prints the figures in docs/backends.md: the faster stem, what a cache and views of the file save.

    python tools/measure_backends.py student.onnx
    python tools/measure_backends.py student.onnx --stems --rounds 50

The second prints the times of the stems alone, which `sakedge/runtime/evidence.py` states. Backends
run in turn in one process (A B A B ...), loads each in a fresh one.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.backends import registry
from sakedge.backends.base import CompileOptions, Session
from sakedge.format import StudentFile
from sakedge.runtime import machine
from sakedge.runtime.threads import resolve_threads

LOAD = """
import json, sys, time
from pathlib import Path
import numpy as np
from sakedge.backends import registry
from sakedge.backends.openvino import blobs
from sakedge.backends.base import CompileOptions
from sakedge.format import StudentFile

def held():
    lines = Path("/proc/self/status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines)
    return int(status["RssAnon"].split()[0]) / 1024

path, name, threads, folder, config = json.loads(sys.argv[1])
blobs.CPU_LIMIT = 1 << 60
with StudentFile.open(path) as file:
    stem = file.stem()
backend = registry.get(name)
backend.probe(None, "fp32")  # imports the runtime
if config == "self-contained":
    before, begin = held(), time.perf_counter()
    if name == "onnxruntime":
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(stem.to_bytes(), options)
    else:
        import openvino as ov
        session = ov.Core().compile_model(ov.Core().read_model(stem.to_bytes()), "CPU",
            {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads})
    state = "self-contained model"
else:
    if config == "unoptimised":
        import onnxruntime
        config = {"graph_optimization_level": onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL}
    options = CompileOptions(
        threads=threads, cache_dir=folder and Path(folder), config=config or {})
    before, begin = held(), time.perf_counter()
    session = backend.compile(stem, options)
    state = session.details["cache"]
print(json.dumps([1000 * (time.perf_counter() - begin), held() - before, state]))
"""


def load(path: Path, name: str, threads: int, folder: str | None, config: Any) -> tuple[Any, ...]:
    """Milliseconds to compile, MiB of own memory that it took, and what the cache did."""
    request = json.dumps([str(path), name, threads, folder, config])
    printed = subprocess.run(
        [sys.executable, "-c", LOAD, request], capture_output=True, text=True, check=True
    )
    return tuple(json.loads(printed.stdout.splitlines()[-1]))


def measure_loading(path: Path, threads: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        load(path, "openvino", threads, folder, None)
        kinds: dict[str, tuple[str, str | None, Any]] = {
            "openvino, compiled": ("openvino", None, None),
            "openvino, from the cache": ("openvino", folder, None),
            "openvino, self-contained": ("openvino", None, "self-contained"),
            "onnxruntime, compiled": ("onnxruntime", None, None),
            "onnxruntime, not optimised": ("onnxruntime", None, "unoptimised"),
            "onnxruntime, self-contained": ("onnxruntime", None, "self-contained"),
        }
        seen: dict[str, list[tuple[Any, ...]]] = {kind: [] for kind in kinds}
        for _ in range(rounds):
            for kind, (name, cache, config) in kinds.items():
                seen[kind].append(load(path, name, threads, cache, config))
    print(f"\n{'loading':<30}{'least ms':>10}{'median ms':>11}{'own MiB':>9}")
    for kind, runs in seen.items():
        times = [run[0] for run in runs]
        memory = statistics.median(run[1] for run in runs)
        print(f"{kind:<30}{min(times):>10.0f}{statistics.median(times):>11.0f}{memory:>9.0f}")


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds on the wall and of CPU time."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu)


def open_stems(path: Path, threads: int) -> tuple[dict[str, Session], NDArray[np.float32]]:
    """The stem in every backend, where it is quantised also in int8, and one image for it."""
    with StudentFile.open(path) as file:
        stems = {"fp32": file.stem(floats=True)}
        if file.manifest.storage.stem == "int8":
            stems["int8"] = file.stem()
    size = stems["fp32"].input_size
    images = np.random.default_rng(0).standard_normal((1, 3, *size), np.float32)
    sessions = {
        f"{name} {precision}": registry.get(name).compile(stem, CompileOptions(threads=threads))
        for precision, stem in stems.items()
        for name in registry.BACKENDS
    }
    return sessions, images


def measure_running(path: Path, threads: int, rounds: int) -> None:
    sessions, images = open_stems(path, threads)
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in sessions}
    for session in sessions.values():
        session.run(images)
    for _ in range(rounds):
        for name, session in sessions.items():
            runs[name].append(timed(lambda session=session: session.run(images)))  # type: ignore[misc]
    print(f"\n{'stem, one image':<30}{'least ms':>10}{'median ms':>11}{'CPU ms':>9}")
    for name, times in runs.items():
        wall, cpu = zip(*times, strict=True)
        middle = statistics.median
        print(f"{name:<30}{min(wall):>10.1f}{middle(wall):>11.1f}{middle(cpu):>9.1f}")
    base, *others = runs
    print(f"\n{f'time / that of {base}, pair by pair':<50}{'median':>8}{'half of them':>16}")
    for name in others:
        # On a machine that others share, the CPU time says more than the time on the wall.
        for i, kind in enumerate(("on the wall", "of CPU time")):
            pairs = [b[i] / a[i] for a, b in zip(runs[base], runs[name], strict=True)]
            low, middle, high = statistics.quantiles(pairs)
            print(f"{f'{name}, {kind}':<50}{middle:>8.3f}{f'{low:.2f} to {high:.2f}':>16}")


def measure_waiting(path: Path, threads: int) -> None:
    sessions, images = open_stems(path, threads)
    print(f"\n{'CPU used while waiting 50 ms':<30}{'share':>10}")
    for name, session in sessions.items():
        shares = []
        for _ in range(10):
            session.run(images)
            wall, cpu = timed(lambda: time.sleep(0.05))
            shares.append(cpu / wall)
        print(f"{name:<30}{statistics.median(shares):>10.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("student", type=Path)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--stems", action="store_true", help="only the times of the stems")
    arguments = parser.parse_args()
    threads = resolve_threads(arguments.threads)
    print(f"{machine.cpu_model()}, {threads} threads, {machine.versions()}")
    measure_running(arguments.student, threads, arguments.rounds)
    if arguments.stems:
        return
    measure_waiting(arguments.student, threads)
    measure_loading(arguments.student, threads, min(arguments.rounds, 5))


if __name__ == "__main__":
    main()
