"""OpenVINO itself, imported when it is first needed, with its telemetry off."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_TELEMETRY = "openvino_telemetry"
_lock = threading.Lock()


@cache
def openvino() -> Any:
    """The module `openvino`.

    Importing it would send an event: it needs a home folder, writes to ~/intel and looks up a host.
    Where the package for that is missing, OpenVINO does without, so it is hidden meanwhile.

    Raises:
        ImportError: It is not installed; other exceptions where its installation is broken.
    """
    with _lock, _hidden(_TELEMETRY):
        import openvino as module
    return module


@contextmanager
def _hidden(name: str) -> Iterator[None]:
    """Lets imports of a module fail while the block runs."""
    modules: dict[str, Any] = sys.modules
    there = {name: modules[name]} if name in modules else {}
    modules[name] = None
    try:
        yield
    finally:
        modules.pop(name, None)
        modules.update(there)
