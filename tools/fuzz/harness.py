"""Runs a target in processes of its own, so that crashes and hangs are failures like others."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
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
        tempfile.TemporaryFile() as said,  # a pipe that nobody reads would fill up
        subprocess.Popen(
            command,
            cwd=ROOT,
            pass_fds=[writing],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
        ) as process,
        os.fdopen(reading, "rb", buffering=0) as reports,
    ):
        os.close(writing)
        lines = _Lines(reports.fileno())
        number = start
        try:
            while not _is_over(number, end, deadline):
                line = lines.next(time.monotonic() + LONGEST)
                if line is None:
                    outcome.failures[number] = f"took more than {LONGEST:.0f} s"
                    return number + 1
                if not line:
                    code = process.wait()
                    said.seek(0)
                    last = said.read().decode(errors="replace")[-1500:]
                    outcome.failures[number] = f"the process ended with {code}: {last}"
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


class _Lines:
    """Lines from a pipe, each waited for only so long."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._begun = b""

    def next(self, deadline: float) -> bytes | None:
        """The next line, b"" at the end, or None when it is late."""
        while b"\n" not in self._begun:
            wait = max(0.0, deadline - time.monotonic())
            if not select.select([self._descriptor], [], [], wait)[0]:
                return None
            read = os.read(self._descriptor, 65536)
            if not read:
                return b""
            self._begun += read
        line, _, self._begun = self._begun.partition(b"\n")
        return line
