"""What is built for a user, and what for development alone."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import cmake

from sakedge import _core

DEVELOPMENT = {"sakedge_calls", "sakedge_kernels", "sakedge_peak_generic"}
"""Targets of CMake that no wheel may contain."""
CUDA = {"_cuda", "sakedge_kernel_images"}
"""Those that only a wheel that was asked for CUDA contains."""
IN_DEVELOPMENT = (
    CUDA if (platform.system(), platform.machine()) == ("Linux", "x86_64") else set[str]()
)


@pytest.mark.parametrize(
    ("state", "cuda", "expected"),
    [
        ("wheel", "", set()),
        ("wheel", "1", CUDA),
        ("editable", "", DEVELOPMENT | IN_DEVELOPMENT),
    ],
)
def test_a_wheel_has_no_single_kernels_and_cuda_where_it_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, cuda: str, expected: set[str]
) -> None:
    monkeypatch.setenv("SAKEDGE_CUDA", cuda)
    defines = [f"-D{name}={value}" for name, value in _defines(state).items()]
    found = subprocess.run(
        [sys.executable, "-m", "pybind11", "--cmakedir"], capture_output=True, text=True, check=True
    )
    python = [f"-DPython_EXECUTABLE={sys.executable}", f"-Dpybind11_DIR={found.stdout.strip()}"]
    cmake.configure(tmp_path, *defines, *python)
    lines = cmake.build(tmp_path, "help").splitlines()
    targets = {line.partition(":")[0].rpartition("/")[2] for line in lines}
    assert "_core" in targets
    assert (DEVELOPMENT | CUDA) & targets == expected


def _defines(state: str) -> dict[str, str]:
    """What pyproject.toml has CMake define in a build of this kind."""
    settings = pytest.importorskip("scikit_build_core.settings.skbuild_read_settings")
    reader = settings.SettingsReader.from_file(str(cmake.ROOT / "pyproject.toml"), state=state)
    return dict(reader.settings.cmake.define)


def test_the_shipped_module_calls_no_single_kernels() -> None:
    assert not hasattr(_core, "Kernels")
