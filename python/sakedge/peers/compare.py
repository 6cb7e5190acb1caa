"""The comparison for a user's own file: every precision, against what runs that file as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sakedge.backends import registry
from sakedge.peers.race import race
from sakedge.peers.types import Contestant, Plan, Race
from sakedge.progress import Progress

PRECISIONS = ("fp32", "bf16", "int8")
_RUNNERS = "sakedge.peers.runners"


def compare(
    student: str | Path,
    plan: Plan,
    *,
    precisions: Sequence[str] = PRECISIONS,
    options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> list[Race]:
    """Compares ours with stock ONNX Runtime and OpenVINO, one race per precision.

    Stock runtimes run the file in fp32 and, where the CPU has it, OpenVINO in bf16. In int8 they
    cannot run it without quantising it first; ours at int8 is set against the lowest precision
    that they do run, which the peer's name tells.

    Args:
        student: The file.
        plan: How to measure.
        precisions: Of ours.
        options: Further options of `sakedge.load` for ours.
        progress: Told how far it is.

    Raises:
        FileFormatError, StorageError: The file is no student, or cannot be read.
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
    """The stock runtimes that run a file as it is at a precision, or the next higher one."""
    if precision == "fp32":
        return [
            Contestant(name, "fp32", f"{_RUNNERS}:{name}") for name in ("onnxruntime", "openvino")
        ]
    if precision == "int8" and not registry.probe("openvino", "CPU", "bf16").ok:
        return stock_peers("fp32")
    return [Contestant("openvino", "bf16", f"{_RUNNERS}:openvino")]
