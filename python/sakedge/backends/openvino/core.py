"""OpenVINO's core, and its version."""

from __future__ import annotations

from functools import cache
from typing import Any

from sakedge.backends.openvino.library import openvino


@cache
def core() -> Any:
    """The one `openvino.Core` of this process.

    Raises:
        ImportError: OpenVINO is not installed; other exceptions where it does not start.
    """
    return openvino().Core()


def version() -> str:
    """OpenVINO's version without its build number, e.g. `2026.4.1`."""
    return str(openvino().__version__).partition("-")[0]
