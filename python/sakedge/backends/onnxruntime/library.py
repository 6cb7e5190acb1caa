"""ONNX Runtime itself, imported when it is first needed, with its telemetry off."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout
from functools import cache
from typing import Any

SWITCH = "ORT_DISABLE_TELEMETRY"
"""Read once, while ONNX Runtime is imported; calling its API later stops nothing."""


@cache
def onnxruntime() -> Any:
    """The module `onnxruntime`.

    From 1.32 on it would keep an identifier in ~/.cache and look up a host. A switch that the
    user has set stays as it is.

    Raises:
        ImportError: It is not installed; other exceptions where its installation is broken.
    """
    os.environ.setdefault(SWITCH, "1")
    import onnxruntime as module

    return module


@cache
def preload() -> None:
    """Loads NVIDIA's libraries where they were installed as Python packages, once.

    What it cannot load is reported by ONNX Runtime when it needs it.
    """
    if hasattr(onnxruntime(), "preload_dlls"):
        with redirect_stdout(sys.stderr):  # where it prints, our results may go
            onnxruntime().preload_dlls()
