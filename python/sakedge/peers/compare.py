"""The comparison for a user's own file: every precision, against what runs that file as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sakedge.peers import stock
from sakedge.peers.race import race
from sakedge.peers.types import Contestant, Plan, Race
from sakedge.progress import Progress

PRECISIONS = ("fp32", "bf16", "int8")
"""Of ours, the highest first."""
_RUNNERS = "sakedge.peers.runners"


def compare(
    student: str | Path,
    plan: Plan,
    *,
    precisions: Sequence[str] = PRECISIONS,
    options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> list[Race]:
    """Compares ours with the stock runtimes, one race per precision.

    In int8 they cannot run the file without quantising it first, and in bf16 only some can; ours is
    then set against the next higher precision that one does run, as the peer's name shows.

    Args:
        student: The file.
        plan: How to measure.
        precisions: Of ours.
        options: Further options of `sakedge.load` for ours.
        progress: Called with the progress made.

    Raises:
        FileFormatError, StorageError: The file is not a student, or cannot be read.
        BackendError: Stock ONNX Runtime cannot run the file.
    """
    races: list[Race] = []
    for i, precision in enumerate(precisions):

        def tell(step: str, share: float, i: int = i, precision: str = precision) -> None:
            if progress is not None:
                progress(f"{precision}, {step}", (i + share) / len(precisions))

        ours = Contestant("sakedge", precision, f"{_RUNNERS}:ours", dict(options or {}))
        races.append(race(student, [ours, *stock_peers(precision)], plan, progress=tell))
    return races


def stock_peers(precision: str) -> list[Contestant]:
    """The stock runtimes that run a file as it is at a precision, or the next higher one.

    In fp32 those are all of them: one that is missing is reported when it is run.
    """
    below_fp32 = PRECISIONS[1 : PRECISIONS.index(precision) + 1]
    for each in reversed(below_fp32):
        able = [name for name in stock.STOCK if each in stock.precisions(name)]
        if able:
            return [Contestant(name, each, f"{_RUNNERS}:stock") for name in able]
    return [Contestant(name, "fp32", f"{_RUNNERS}:stock") for name in stock.STOCK]
