"""TensorRT on the student's file and on its exported graph, where its `trtexec` is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from tools.gpu_check import ours
from tools.gpu_check.step import Given, SkipError

_OPTIONS = ("--fp16", "--useCudaGraph", "--warmUp=200", "--iterations=50", "--noDataTransfers")


def run(given: Given) -> None:
    """Median device time of both, at batch 1."""
    program = str(given.trtexec) if given.trtexec else shutil.which("trtexec")
    if program is None:
        raise SkipError("trtexec is not on the PATH; --trtexec names it")
    path = ours.student_file(given)
    for name, graph in (("the file", path), ("the exported graph", exported(given, path))):
        ran = subprocess.run(
            [program, f"--onnx={graph}", *_OPTIONS], capture_output=True, text=True
        )
        ms = median_ms(ran.stdout)
        if ran.returncode or ms is None:
            lines = [line for line in (ran.stdout + ran.stderr).splitlines() if "[E]" in line]
            given.findings.measured(f"TensorRT on {name}", f"refused: {(lines or ['?'])[0][:200]}")
            continue
        given.findings.measured(
            f"TensorRT on {name}", f"{ms:.3f} ms on the device", **{f"tensorrt {name}": ms}
        )


def exported(given: Given, path: Path) -> Path:
    """The student as `sakedge export` writes it."""
    from sakedge.exporting import export

    found = given.output / "exported.onnx"
    if not found.exists():
        export(path, found)
    return found


def median_ms(printed: str) -> float | None:
    """`GPU Compute Time: … median = 1.2 ms …` of trtexec's summary."""
    match = re.search(r"GPU Compute Time:.*?median = ([\d.]+) ms", printed)
    return float(match[1]) if match else None
