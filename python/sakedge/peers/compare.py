"""The comparison for a user's own file: every precision, against stock runtimes.

They run the student's file as it is, and the same student as `sakedge.export` writes it: without
the second, the algebra that the export gives to every runtime would pass for a merit of ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sakedge.exporting import export
from sakedge.peers import stock
from sakedge.peers.race import race
from sakedge.peers.scratch import scratch
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
        FileFormatError, StorageError: The file is not a student, or cannot be read; or there is no
            room for the exported graph.
        BackendError: Stock ONNX Runtime cannot run the file.
    """
    races: list[Race] = []
    with scratch() as folder:
        if progress is not None:
            progress("exporting", 0.0)
        graph = folder / "exported.onnx"
        export(student, graph)
        for i, precision in enumerate(precisions):

            def tell(step: str, share: float, i: int = i, precision: str = precision) -> None:
                if progress is not None:
                    progress(f"{precision}, {step}", (i + share) / len(precisions))

            ours = Contestant("sakedge", precision, f"{_RUNNERS}:ours", dict(options or {}))
            field = [ours, *stock_peers(precision, graph)]
            logits = folder / "reference.npz"
            races.append(race(student, field, plan, reference=logits, progress=tell))
    return races


def stock_peers(precision: str, graph: Path) -> list[Contestant]:
    """The stock runtimes at a precision, or at the next higher one that any of them has.

    First each on the student's file as it is, then each on the exported graph. In fp32 those are
    all of them: one that is missing is reported when it is run.

    Args:
        precision: Of ours.
        graph: The student as `sakedge.export` wrote it.
    """
    names, at = _able(precision)
    return [
        *(Contestant(name, at, f"{_RUNNERS}:stock") for name in names),
        *(
            Contestant(
                f"{name}, exported",
                at,
                f"{_RUNNERS}:exported",
                {"runtime": name, "model": str(graph)},
                exported=True,
            )
            for name in names
        ),
    ]


def _able(precision: str) -> tuple[list[str], str]:
    """The runtimes that have a precision, and that precision; or the next higher one."""
    below_fp32 = PRECISIONS[1 : PRECISIONS.index(precision) + 1]
    for each in reversed(below_fp32):
        able = [name for name in stock.STOCK if each in stock.precisions(name)]
        if able:
            return able, each
    return list(stock.STOCK), "fp32"
