"""OpenVINO itself, imported when it is first needed."""

from __future__ import annotations

from functools import cache
from typing import Any

REFUSALS = (RuntimeError, TypeError, ValueError)
"""What OpenVINO raises; its exceptions have no type of their own."""


@cache
def core() -> Any:
    """The one `openvino.Core` of this process.

    Raises:
        ImportError: OpenVINO is not installed.
    """
    import openvino

    return openvino.Core()


def version() -> str:
    """OpenVINO's version without its build number, e.g. `2026.4.1`."""
    import openvino

    return str(openvino.__version__).partition("-")[0]
