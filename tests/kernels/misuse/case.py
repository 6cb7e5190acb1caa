"""What a case of misuse is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

INF, NAN = float("inf"), float("nan")
HUGE = (2**20 + 1, 2**31 + 5, 2**35, 2**62, 2**63 - 1, -1, -(2**63), 2**64)
"""Sizes beyond every bound, whose products overflow, or that are none."""


@dataclass(frozen=True)
class Case:
    """A call, and whether it must be refused; else it must return."""

    run: Callable[[], Any]
    is_refused: bool = True


def fine(run: Callable[[], Any]) -> Case:
    return Case(run, is_refused=False)


Cases = dict[str, Case]
