"""A Debug build of the instruction sets and the C++ tests, shared by the tests that read it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TARGETS = ("sakedge_dispatch_test", "sakedge_thread_pool_test")  # and what they link


def _tool(name: str) -> str | None:
    """A program of this virtual environment, which need not be on the PATH, or of the machine."""
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)


@pytest.fixture(scope="session")
def debug_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cmake = _tool("cmake")
    if cmake is None:
        pytest.skip("there is no cmake")
    folder = tmp_path_factory.mktemp("debug")
    options = ["-DCMAKE_BUILD_TYPE=Debug", "-DSAKEDGE_PYTHON=OFF", "-DSAKEDGE_TESTS=ON"]
    ninja = _tool("ninja")
    generator = ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}"] if ninja else []
    for command in (
        [cmake, "-S", str(ROOT), "-B", str(folder), *generator, *options],
        [cmake, "--build", str(folder), "--parallel", "2", "--target", *TARGETS],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder
