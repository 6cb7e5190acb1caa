"""Prints where each MiB of a process is, stage by stage: ours and the stock runtimes.

    python tools/measure_memory.py student.onnx

Every contestant runs in a fresh process, which says when it enters a stage; this process samples
its /proc/<pid>/status every millisecond, so that native code that holds the interpreter lock is
measured as well. Ours is loaded a second time, so that its cache is filled. Linux only. A row of
the table is a stage: the most that was resident in it (VmRSS), what of that was the process's own
(RssAnon) and what were pages of files (RssFile: the student, and code of libraries), the most of
its own in the stage, and what was resident at its end.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sakedge.runtime.threads import resolve_threads

PERIOD = 0.001
CONTESTANTS = (
    ("sakedge", "openvino", "fp32"),
    ("sakedge", "onnxruntime", "fp32"),
    ("sakedge", "openvino", "bf16"),
    ("sakedge", "openvino", "int8"),
    ("stock", "onnxruntime", "fp32"),
    ("stock", "openvino", "fp32"),
    ("stock", "openvino", "bf16"),
)
MARK = "stage@"


@dataclass(frozen=True)
class Look:
    """A process at one moment: seconds, and MiB resident, of its own, and of files."""

    at: float
    resident: float
    anonymous: float
    file: float


def look(pid: int) -> Look | None:
    """The process now, or None if it has ended or is ending."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    status = dict(line.split(":", 1) for line in lines)
    if "VmRSS" not in status:
        return None
    resident, anonymous, file = (
        int(status[key].split()[0]) / 1024 for key in ("VmRSS", "RssAnon", "RssFile")
    )
    return Look(time.monotonic(), resident, anonymous, file)


def watch(request: dict[str, Any]) -> tuple[list[Look], list[tuple[float, str]]]:
    """Runs a contestant; returns its samples, and when it entered which stage."""
    child = subprocess.Popen(
        [sys.executable, __file__, "--contestant", json.dumps(request)],
        stdout=subprocess.PIPE,
        text=True,
    )
    marks: list[tuple[float, str]] = []
    assert child.stdout is not None

    def listen(lines: Iterator[str]) -> None:
        for line in lines:
            if line.startswith(MARK):
                at, _, stage = line[len(MARK) :].strip().partition(" ")
                marks.append((float(at), stage))

    listener = threading.Thread(target=listen, args=(child.stdout,))
    listener.start()
    looks = []
    while child.poll() is None:
        seen = look(child.pid)
        if seen is not None:
            looks.append(seen)
        time.sleep(PERIOD)
    listener.join()
    if child.returncode:
        raise SystemExit(f"{request} failed with exit code {child.returncode}")
    return looks, marks


def report(title: str, looks: list[Look], marks: list[tuple[float, str]]) -> None:
    """Prints a contestant's stages and its peaks."""
    stages: dict[str, list[Look]] = {}
    for seen in looks:
        names = [stage for at, stage in marks if at <= seen.at]
        if names:
            stages.setdefault(names[-1], []).append(seen)
    print(f"\n{title}")
    columns = ("resident", "own", "files", "own peak", "at end")
    print(f"  {'stage':<26}" + "".join(f"{column:>10}" for column in columns))
    for stage, seen_here in stages.items():
        most = max(seen_here, key=lambda seen: seen.resident)
        own = max(seen.anonymous for seen in seen_here)
        values = (most.resident, most.anonymous, most.file, own, seen_here[-1].resident)
        print(f"  {stage:<26}" + "".join(f"{value:>10.0f}" for value in values))
    known = [(seen, stage) for stage, seen_here in stages.items() for seen in seen_here]
    for what in ("resident", "anonymous"):
        most, stage = max(known, key=lambda pair: getattr(pair[0], what))
        print(f"  most {what}: {getattr(most, what):.0f} MiB in '{stage}'")


def enter(stage: str) -> None:
    print(f"{MARK}{time.monotonic()} {stage}", flush=True)


@contextmanager
def during(stage: str, then: str) -> Iterator[None]:
    enter(stage)
    try:
        yield
    finally:
        enter(then)


def staged(owner: Any, name: str, stage: str, then: str) -> None:
    """Reports when a method runs."""
    method: Callable[..., Any] = getattr(owner, name)

    def wrapped(*arguments: Any, **options: Any) -> Any:
        with during(stage, then):
            return method(*arguments, **options)

    setattr(owner, name, wrapped)


def contestant(
    who: str, backend: str, precision: str, path: str, threads: int, calls: int, cache: str
) -> None:
    """The fresh process: imports, loads and runs, and reports each stage."""
    enter("python")
    import numpy as np

    enter("import numpy")
    import onnx  # noqa: F401

    enter("import onnx")
    import sakedge.api
    from sakedge.backends import registry
    from sakedge.decoder import Decoder
    from sakedge.format import StudentFile
    from sakedge.peers.stock import open_stock

    enter("import sakedge")
    with during("import the runtime", "rest"):
        registry.probe(backend, "CPU", precision)
    with StudentFile.open(path) as file:
        size = file.manifest.input_size
    images = np.random.default_rng(0).standard_normal((1, 3, *size), np.float32)
    if who == "stock":
        enter("load")
        session = open_stock(backend, Path(path), threads, precision)
        for i in range(calls):
            enter("first call" if i == 0 else "further calls")
            session.run(images)
        return
    staged(StudentFile, "stem", "read the stem", "rest")
    staged(StudentFile, "component", "read a component", "rest")
    kind = type(registry.get(backend))
    staged(kind, "compile", "compile the stem", "rest")
    staged(Decoder, "prepare", "pack the decoder", "rest")
    student = sakedge.api.load(
        path, backend=backend, precision=precision, threads=threads, cache_dir=cache
    )
    for i in range(calls):
        call = "first call" if i == 0 else "further calls"
        core = student._model._core  # private: only this table needs the stages of a call
        staged(core._session, "run", f"{call}: stem", "rest") if i < 2 else None
        staged(core._decoder, "run", f"{call}: decoder", "rest") if i < 2 else None
        student.infer(images)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("student", nargs="?", type=Path)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--calls", type=int, default=4)
    parser.add_argument("--only", help="the contestants whose title contains this")
    parser.add_argument("--contestant", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contestant:
        contestant(**arguments.contestant)
        return
    threads = resolve_threads(arguments.threads)
    for who, backend, precision in CONTESTANTS:
        title = f"{who}, {backend} {precision}"
        if (arguments.only or "") in title:
            request = {"who": who, "backend": backend, "precision": precision}
            request |= {"path": str(arguments.student), "threads": threads}
            with tempfile.TemporaryDirectory() as cache:
                request |= {"calls": arguments.calls, "cache": cache}
                if who == "sakedge":
                    watch(request | {"calls": 0})
                report(title, *watch(request))


if __name__ == "__main__":
    main()
