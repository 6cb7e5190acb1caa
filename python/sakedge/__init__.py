"""Runs SAK multi-task vision students on inspection hardware.

`sakedge.load` gives a `Student`; a student called on an image gives a `Result`.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sakedge import errors
    from sakedge.api import load
    from sakedge.result import Result
    from sakedge.sources import Reconnect
    from sakedge.student import Student

__all__ = ["Reconnect", "Result", "Student", "__version__", "errors", "load"]

try:
    __version__ = version("sakedge")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+source"

# Resolved on first use, so that `sakedge --help` or `sakedge.format` loads no runtime.
_HOMES = {
    "errors": None,
    "load": "api",
    "Reconnect": "sources",
    "Result": "result",
    "Student": "student",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sakedge' has no attribute {name!r}")
    home = _HOMES[name]
    if home is None:
        return import_module(f"sakedge.{name}")
    return getattr(import_module(f"sakedge.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
