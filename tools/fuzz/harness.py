"""Runs a target in processes of its own, so that crashes and hangs are failures like others."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
LONGEST = 60.0
"""Seconds that one attempt may take, the start of a process included."""
MOST_MEMORY = 2 << 30
"""Bytes resident that an attempt may need; every target's inputs are small."""


@dataclass
class Outcome:
    """What came of a run.

    Attributes:
        attempts: How many there were.
        refused: How many ended in each `SakedgeError`.
        failures: Attempt's number → what went wrong.
    """

    attempts: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    failures: dict[int, str] = field(default_factory=dict)


def fuzz(
    target: str, *, start: int = 0, attempts: int | None = None, seconds: float = 0
) -> Outcome:
    """Runs a target's attempts from number `start` on, so many of them or for so long."""
    outcome = Outcome()
    deadline = time.monotonic() + seconds if attempts is None else None
    end = None if attempts is None else start + attempts
    while not _is_over(start, end, deadline):
        start = _run_worker(target, start, end, deadline, outcome)
    return outcome


def _is_over(number: int, end: int | None, deadline: float | None) -> bool:
    return number == end or (deadline is not None and time.monotonic() >= deadline)


def _run_worker(
    target: str, start: int, end: int | None, deadline: float | None, outcome: Outcome
) -> int:
    """Runs one process until it is done, crashes, hangs or grows; returns the next number."""
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "tools.fuzz.worker", target, str(start), str(writing)]
    with (
        subprocess.Popen(
            command,
            cwd=ROOT,
            pass_fds=[writing],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as process,
        os.fdopen(reading, "rb", buffering=0) as reports,
    ):
        os.close(writing)
        os.set_blocking(process.stderr.fileno(), False)  # type: ignore[union-attr]
        number = start
        try:
            while not _is_over(number, end, deadline):
                line = _next_line(reports, time.monotonic() + LONGEST)
                if line is None:
                    outcome.failures[number] = f"took more than {LONGEST:.0f} s"
                    return number + 1
                if not line:
                    code = process.wait()
                    said = (process.stderr.read() or b"").decode(errors="replace")  # type: ignore[union-attr]
                    outcome.failures[number] = f"the process ended with {code}: {said[-1500:]}"
                    return number + 1
                report = json.loads(line)
                if "end" not in report:
                    continue
                outcome.attempts += 1
                number = report["end"] + 1
                if "refused" in report:
                    outcome.refused[report["refused"]] += 1
                if "failed" in report:
                    outcome.failures[report["end"]] = report["failed"]
                resident = psutil.Process(process.pid).memory_info().rss
                if resident > MOST_MEMORY:
                    outcome.failures[report["end"]] = f"{resident >> 20} MiB resident after it"
                    return number
        finally:
            process.kill()
    return number


def _next_line(file: object, deadline: float) -> bytes | None:
    """The next line, b"" at the end, or None when it is late."""
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([file], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return None
        byte = file.read(1)  # type: ignore[attr-defined]
        if not byte:
            return b""
        line += byte
    return line
