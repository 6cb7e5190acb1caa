"""What is fuzzed, and what a target is."""

from __future__ import annotations

import random
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

TARGETS: tuple[str, ...] = (
    "student",
    "pack",
    "choice",
    "record",
    "image",
    "source",
    "core",
    "call",
    "delta",
    "trust",
    "bundle",
    "bill",
    "tuf",
    "store",
    "audit",
    "golden",
)
"""Each is a module of this folder with a function `prepare`."""

Attempt = Callable[[random.Random], None]
"""Makes one hostile input and gives it to a reader. It may raise `SakedgeError` only."""


def prepare(target: str, folder: Path) -> Attempt:
    """Makes what a target's attempts start from in an empty folder."""
    attempt: Attempt = import_module(f"tools.fuzz.{target}").prepare(folder)
    return attempt
