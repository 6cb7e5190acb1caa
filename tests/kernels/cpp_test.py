"""The C++ tests, in a Debug build."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


@pytest.mark.parametrize("name", ["dispatch", "thread_pool"])
def test_cpp_test_passes(debug_build: Path, name: str) -> None:
    program = debug_build / "tests" / "kernels" / f"sakedge_{name}_test"
    done = subprocess.run([str(program)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
