"""CMake builds of the C++ code."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def configure(folder: Path, *options: str) -> None:
    """Configures `folder` as a build folder."""
    ninja = _tool("ninja")
    generator = ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}"] if ninja else []
    _cmake("-S", str(ROOT), "-B", str(folder), *generator, *options)


def build(folder: Path, *targets: str) -> str:
    """Builds targets and what they link; returns the output."""
    return _cmake("--build", str(folder), "--parallel", "2", "--target", *targets)


def _cmake(*arguments: str) -> str:
    cmake = _tool("cmake")
    if cmake is None:
        pytest.skip("there is no cmake")
    done = subprocess.run([cmake, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _tool(name: str) -> str | None:
    """A program of this virtual environment, which need not be on the PATH, or of the machine."""
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
