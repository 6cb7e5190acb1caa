"""Runs SAK multi-task vision students on inspection hardware.

`sakedge.load` gives a `Student`; a student called on an image gives a `Result`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sakedge import errors
    from sakedge.api import load
    from sakedge.canary.watch import Watch
    from sakedge.evaluating.advise import advise
    from sakedge.evaluating.evaluate import evaluate
    from sakedge.exporting import export
    from sakedge.quantizing.quantize import quantize
    from sakedge.result import Result
    from sakedge.site import Site
    from sakedge.sources import Reconnect
    from sakedge.store import Store
    from sakedge.student import Student

    __version__: str

__all__ = [
    "Reconnect",
    "Result",
    "Site",
    "Store",
    "Student",
    "Watch",
    "__version__",
    "advise",
    "errors",
    "evaluate",
    "export",
    "load",
    "quantize",
]

# Resolved on first use, so that `sakedge --help` or `sakedge.format` loads no runtime.
_HOMES = {
    "advise": "evaluating",
    "errors": None,
    "evaluate": "evaluating",
    "export": "exporting",
    "load": "api",
    "quantize": "quantizing",
    "Reconnect": "sources",
    "Result": "result",
    "Site": "site",
    "Store": "store",
    "Student": "student",
    "Watch": "canary.watch",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    if name not in _HOMES:
        raise AttributeError(f"module 'sakedge' has no attribute {name!r}")
    home = _HOMES[name]
    if home is None:
        return import_module(f"sakedge.{name}")
    return getattr(import_module(f"sakedge.{home}"), name)


def _version() -> str:
    # This import takes as long as all else up to the command line, where Ctrl-C is one line.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("sakedge")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0+source"


def __dir__() -> list[str]:
    return sorted(__all__)
