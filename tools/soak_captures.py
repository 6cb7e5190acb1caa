"""The life of a capture: `python -m tools.soak_captures` closes, interrupts and abandons videos.

A 4K video is read and closed from another thread, ended by Ctrl-C, and left to the end of the
process, each time at another moment. All must end within a second and without a crash.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).parents[1]
SOON = 1.0
"""Seconds in which a loop must have ended; a process has another one to go down."""
MOMENTS = 0.4
"""Seconds within which it is ended, at a random moment."""

# A shell ignores interrupts of what it runs in the background, and its children inherit that.
READ_FOR_EVER = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from sakedge.sources import open_source
while True:
    for frame in open_source(sys.argv[1]):
        print(frame.name, flush=True)
"""
READ_A_WHILE = """
import sys, threading, time
from sakedge.sources import open_source
def read():
    while True:
        for frame in open_source(sys.argv[1]):
            print(frame.name, flush=True)
threading.Thread(target=read, daemon=True).start()
time.sleep(float(sys.argv[2]))
print("leaving", flush=True)
"""


def main() -> int:
    """Runs each kind so often; 1 if one run failed."""
    parser = argparse.ArgumentParser(prog="python -m tools.soak_captures", description=__doc__)
    parser.add_argument("--closes", type=int, default=100)
    parser.add_argument("--interrupts", type=int, default=50)
    parser.add_argument("--exits", type=int, default=50)
    parser.add_argument("--size", default="3840x2160", metavar="WxH")
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "video.avi"
        write_video(video, width, height)
        clean = [
            _count("closes from another thread", arguments.closes, lambda: close(video)),
            _count("interrupts", arguments.interrupts, lambda: interrupt(video)),
            _count("exits while reading", arguments.exits, lambda: leave(video)),
        ]
    return 0 if all(clean) else 1


def write_video(path: Path, width: int, height: int, frames: int = 25) -> None:
    """Writes motion JPEG that takes some milliseconds a frame to decode."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (width, height))
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    for i in range(frames):
        writer.write(np.roll(noise, i, axis=0))
    writer.release()


def close(video: Path, soon: float = SOON) -> str | None:
    """Closes a source from another thread while it is read; says what went wrong."""
    from sakedge.sources import open_source

    source = open_source(str(video))
    closed: list[float] = []

    def end() -> None:
        closed.append(time.monotonic())
        source.close()

    timer = threading.Timer(random.uniform(0, MOMENTS), end)
    timer.start()
    for _ in source:
        pass
    ended = time.monotonic()
    timer.join()
    late = ended - closed[0]
    return f"went on for {late:.1f} s" if late > soon else None


def interrupt(video: Path, soon: float = 2 * SOON) -> str | None:
    """Interrupts a process that reads in its main thread; says what went wrong."""
    command = [sys.executable, "-c", READ_FOR_EVER, str(video)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(random.uniform(0, MOMENTS))
        process.send_signal(signal.SIGINT)
        return _verdict(process, soon, "KeyboardInterrupt", (1, -signal.SIGINT))


def leave(video: Path, soon: float = 2 * SOON) -> str | None:
    """Lets a process end while a thread of it reads; says what went wrong."""
    command = [sys.executable, "-c", READ_A_WHILE, str(video), str(random.uniform(0.2, 0.6))]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        while process.stdout.readline() not in ("leaving\n", ""):
            pass
        return _verdict(process, soon, "", (0,))


def _verdict(
    process: subprocess.Popen[str], soon: float, says: str, codes: tuple[int, ...]
) -> str | None:
    since = time.monotonic()
    try:
        _, said = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        return "did not end"
    late = time.monotonic() - since
    if process.returncode not in codes or says not in said:
        return f"ended with {process.returncode}: {said[-300:]}"
    return f"went on for {late:.1f} s" if late > soon else None


def _count(what: str, times: int, run: Callable[[], str | None]) -> bool:
    problems = [problem for problem in (run() for _ in range(times)) if problem]
    print(f"{what}: {times - len(problems)} of {times} clean", flush=True)
    for problem in problems[:5]:
        print(f"  {problem}")
    return not problems


if __name__ == "__main__":
    sys.exit(main())
