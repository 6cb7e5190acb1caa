"""Whether the system grants the threads that a runtime is about to start."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from sakedge.errors import BackendError

MOST_THREADS = 1024
"""As many as the decoder takes."""
_PATIENCE = 2.0
"""Seconds. Threads that have nothing more to do end within milliseconds."""


def require_threads(count: int) -> None:
    """Makes sure that the system grants this process as many threads more, by starting them.

    A runtime that is refused one in the middle may wait for the others for ever: ONNX Runtime does.

    Raises:
        BackendError: It does not, or there are more than any student is run with.
    """
    if count >= MOST_THREADS:
        raise BackendError(
            "too many threads for a runtime",
            expected=f"at most {MOST_THREADS}",
            got=str(count + 1),
        )
    done = threading.Event()
    started: list[threading.Thread] = []
    try:
        for _ in range(count):
            thread = threading.Thread(target=done.wait, name="sakedge-asked", daemon=True)
            thread.start()
            started.append(thread)
    except (RuntimeError, MemoryError) as error:
        raise BackendError(
            "the system grants no more threads",
            expected=f"{count} more",
            got=str(len(started)),
            remedy="Ask for fewer threads, or raise the limit on processes or memory "
            "(`ulimit -u`, `ulimit -v`, the cgroup's pids.max)",
        ) from error
    finally:
        done.set()
        _wait_for_end(started)


def _wait_for_end(threads: Sequence[threading.Thread]) -> None:
    """Waits until the system has them back; `join` returns a moment before."""
    deadline = time.monotonic() + _PATIENCE
    for thread in threads:
        thread.join()
        place = Path(f"/proc/self/task/{thread.native_id}")  # elsewhere there is no such file
        while place.exists() and time.monotonic() < deadline:
            time.sleep(0.0005)
