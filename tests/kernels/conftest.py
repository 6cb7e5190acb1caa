"""Builds that the tests share, and the kernels of each instruction set."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.kernels.machines import Kernels, Runner, listed_isas, local

from sakedge import _core

ROOT = Path(__file__).parents[2]
TESTS = ("sakedge_dispatch_test", "sakedge_thread_pool_test")
RUNNER = "sakedge_kernel_runner"
EMULATOR = "qemu-aarch64-static"

_HERE = [name for name, _, _ in _core.isas()]
_THERE = [] if platform.machine() == "aarch64" else [n for n in listed_isas() if n not in _HERE]
_ISAS = [*_HERE, *(f"aarch64 {name}" for name in (*_THERE, "generic"))]


def _tool(name: str) -> str | None:
    """A program of this virtual environment, which need not be on the PATH, or of the machine."""
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)


def _build(folder: Path, targets: tuple[str, ...], *options: str) -> Path:
    """Builds C++ targets with what they link; returns the folder of the programs."""
    cmake = _tool("cmake")
    if cmake is None:
        pytest.skip("there is no cmake")
    options = ("-DSAKEDGE_PYTHON=OFF", "-DSAKEDGE_TESTS=ON", *options)
    ninja = _tool("ninja")
    generator = ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}"] if ninja else []
    for command in (
        [cmake, "-S", str(ROOT), "-B", str(folder), *generator, *options],
        [cmake, "--build", str(folder), "--parallel", "2", "--target", *targets],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "tests" / "kernels"


@pytest.fixture(scope="session")
def debug_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("debug")
    _build(folder, TESTS, "-DCMAKE_BUILD_TYPE=Debug")
    return folder


@pytest.fixture(scope="session")
def aarch64_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tests and the runner as programs for 64-bit Arm."""
    for program in ("aarch64-linux-gnu-g++", EMULATOR):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program}")
    toolchain = ROOT / "cmake" / "aarch64-linux-gnu.cmake"
    return _build(
        tmp_path_factory.mktemp("aarch64"),
        (*TESTS, RUNNER),
        "-DCMAKE_BUILD_TYPE=Release",
        f"-DCMAKE_TOOLCHAIN_FILE={toolchain}",
    )


@pytest.fixture(scope="session")
def aarch64(aarch64_build: Path) -> Callable[..., list[str]]:
    """Command that runs a program of that build on an emulated CPU."""

    def command(program: str = RUNNER, cpu: str = "max") -> list[str]:
        return [EMULATOR, "-cpu", cpu, str(aarch64_build / program)]

    return command


@pytest.fixture(scope="session", params=_ISAS)
def kernels(request: pytest.FixtureRequest) -> Iterator[Kernels]:
    """The kernels of each instruction set, those of 64-bit Arm under an emulator."""
    isa = request.param
    if not isa.startswith("aarch64 "):
        missing = {name: reason for name, supported, reason in _core.isas() if not supported}
        if isa in missing:
            pytest.skip(f"needs {missing[isa]}")
        yield local(isa)
        return
    runner = Runner(request.getfixturevalue("aarch64")(), isa.removeprefix("aarch64 "))
    yield Kernels(runner)
    runner.close()
