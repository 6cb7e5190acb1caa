"""Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_LATER = 0.02
"""Seconds."""


def prepare() -> None:
    """Makes every interrupt end the process, also where Python discards exceptions.

    It does in destructors and callbacks, and in the import system's own callbacks, sometimes with
    the import lock taken: there the interrupt comes a moment later. Where interrupts are ignored,
    as in a shell's background, they still are.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
        sys.unraisablehook = _discarded


def _interrupt(number: int, frame: FrameType | None) -> None:
    if frame is not None and frame.f_code.co_filename.startswith("<frozen importlib"):
        _come_again()
        return
    raise KeyboardInterrupt


def _discarded(lost: UnraisableHookArgs) -> None:
    if issubclass(lost.exc_type, KeyboardInterrupt):
        _come_again()
    else:
        sys.__unraisablehook__(lost)


def _come_again() -> None:
    with suppress(RuntimeError):  # no thread can be started: the process is ending already
        threading.Timer(_LATER, os.kill, (os.getpid(), signal.SIGINT)).start()
