"""The table of a process's memory: it sees every stage of a real load and run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "measure_memory.py"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_the_table_names_the_stages_and_the_peaks(tiny_student: Path) -> None:
    command = [sys.executable, str(TOOL), str(tiny_student), "--threads", "1"]
    printed = subprocess.run(
        [*command, "--only", "onnxruntime fp32"],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    ).stdout
    ours, stock = printed.split("stock, ")
    assert "import numpy" in ours
    for table in (ours, stock):
        peak = float(table.split("most resident: ")[1].split()[0])
        own = float(table.split("most anonymous: ")[1].split()[0])
        assert 20 < own < peak < 2000
