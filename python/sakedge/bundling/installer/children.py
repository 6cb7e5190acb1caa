"""Processes that the installer starts, which do not outlive it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG, of prctl(2)."""


def run_child(
    command: Sequence[str | Path],
    *,
    quiet: bool = False,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Runs a program that is killed if this process is: it would go on writing unguarded.

    Args:
        command: The program and its arguments.
        quiet: Whether what it prints is kept instead of shown.
        environment: Added to this process's own.
    """
    return subprocess.run(
        command,
        capture_output=quiet,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
        preexec_fn=_dying(os.getpid()),
    )


def _dying(parent: int) -> Callable[[], None] | None:
    try:
        from ctypes import CDLL

        prctl = CDLL(None).prctl
    except (ImportError, OSError, AttributeError):  # a Python without ctypes
        return None

    def ask() -> None:
        prctl(_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:  # it died before it was asked
            os.kill(os.getpid(), signal.SIGKILL)

    return ask
