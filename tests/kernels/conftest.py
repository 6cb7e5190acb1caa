"""Builds that the tests share, and the kernels of each instruction set."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.kernels.machines import ISAS, VARIANTS, Kernels, Runner, local, output
from tests.support import cmake

import sakedge_kernels

TESTS = ("sakedge_dispatch_test", "sakedge_thread_pool_test")
CALLS = "sakedge_calls"
RUNNER = "sakedge_kernel_runner"
EMULATOR = "qemu-aarch64-static"


def _build(folder: Path, targets: tuple[str, ...], *options: str) -> Path:
    cmake.configure(folder, "-DSAKEDGE_PYTHON=OFF", "-DSAKEDGE_TESTS=ON", *options)
    cmake.build(folder, *targets)
    return folder


@pytest.fixture(scope="session")
def debug_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build(tmp_path_factory.mktemp("debug"), (*TESTS, CALLS), "-DCMAKE_BUILD_TYPE=Debug")


def _build_for_aarch64(folder: Path, targets: tuple[str, ...], kind: str) -> Path:
    if shutil.which("aarch64-linux-gnu-g++") is None:
        pytest.skip("there is no aarch64-linux-gnu-g++")
    toolchain = f"-DCMAKE_TOOLCHAIN_FILE={cmake.ROOT / 'cmake' / 'aarch64-linux-gnu.cmake'}"
    return _build(folder, targets, f"-DCMAKE_BUILD_TYPE={kind}", toolchain)


@pytest.fixture(scope="session")
def aarch64_debug_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build_for_aarch64(tmp_path_factory.mktemp("aarch64"), (CALLS,), "Debug")


@pytest.fixture(scope="session")
def aarch64_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which(EMULATOR) is None:
        pytest.skip(f"there is no {EMULATOR}")
    targets = (RUNNER, "sakedge_dispatch_test")
    return _build_for_aarch64(tmp_path_factory.mktemp("aarch64"), targets, "Release")


@pytest.fixture(scope="session")
def aarch64(aarch64_build: Path) -> Callable[..., list[str]]:
    """Command that runs a program of that build on an emulated CPU."""

    def command(program: str = RUNNER, cpu: str = "max") -> list[str]:
        return [EMULATOR, "-cpu", cpu, str(aarch64_build / "tests" / "kernels" / program)]

    return command


@pytest.fixture(scope="session", params=[*ISAS, *VARIANTS])
def kernels(request: pytest.FixtureRequest) -> Iterator[Kernels]:
    """The kernels of each instruction set and variant, those of 64-bit Arm under an emulator.

    With `--runner` those that another build has: `python -m tools.wheels.windows` has Wine run it.
    """
    isa = request.param
    if command := shlex.split(request.config.getoption("--runner") or ""):
        isa = isa.removeprefix("aarch64 ")
        if f"{isa}\t" not in output([*command, "isas"]):
            pytest.skip("the runner has not got it, or its CPU cannot run it")
        runner = Runner(command, isa)
        yield Kernels(runner)
        runner.close()
        return
    if " " not in isa:
        missing = dict(sakedge_kernels.isas())[isa]
        if missing:
            pytest.skip(f"needs {missing}")
        yield local(isa)
        return
    runner = Runner(request.getfixturevalue("aarch64")(), isa.removeprefix("aarch64 "))
    yield Kernels(runner)
    runner.close()
