"""Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

_LATER = 0.02
"""Seconds."""


def prepare() -> None:
    """Makes every interrupt end the process, also one that comes while modules are imported.

    In the import system's own callbacks Python discards the exception, sometimes with the import
    lock taken. Where interrupts are ignored, as in a shell's background, they still are.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    if frame is not None and frame.f_code.co_filename.startswith("<frozen importlib"):
        threading.Timer(_LATER, os.kill, (os.getpid(), number)).start()
        return
    raise KeyboardInterrupt
