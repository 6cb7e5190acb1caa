"""Builds the C++ for Windows and runs its tests under Wine: `python -m tools.wheels.windows`.

The core, the kernels, the decoder and the CUDA driver's side are compiled by mingw-w64. The C++
tests and the kernel tests run, the latter for every instruction set that this CPU has. There is no
wheel for Windows: CPython for it, to build against and to try the wheel with, is not to be had here
(docs/platforms.md).
"""

from __future__ import annotations

import os
import subprocess
import sys

from tools.wheels.build import BUILD, ROOT

FOLDER = BUILD / "windows"
TESTS = ("sakedge_dispatch_test", "sakedge_thread_pool_test")
RUNNER = "sakedge_kernel_runner"
LIBRARIES = ("sakedge_decoder", "sakedge_cuda_driver")
FILES = ("matrices", "tokens", "maps", "planes", "nonfinite", "demo_int8")


def main() -> int:
    """Builds and tests; 1 if something failed."""
    options = ["-DCMAKE_BUILD_TYPE=Release", "-DSAKEDGE_PYTHON=OFF", "-DSAKEDGE_TESTS=ON"]
    toolchain = f"-DCMAKE_TOOLCHAIN_FILE={ROOT / 'cmake' / 'x86_64-w64-mingw32.cmake'}"
    options += ["-DSAKEDGE_CUDA=ON", toolchain]
    # Of Wine's own remarks none.
    os.environ.update(WINEDEBUG="-all", WINEPREFIX=str(BUILD / "wine"))
    for command in (
        ["cmake", "-S", str(ROOT), "-B", str(FOLDER), *options],
        ["cmake", "--build", str(FOLDER), "--target", RUNNER, *TESTS, *LIBRARIES],
        ["wineboot", "--init"],
    ):
        if code := subprocess.run(command, stdout=subprocess.DEVNULL).returncode:
            return code
    programs = FOLDER / "tests" / "kernels"
    for name in TESTS:
        if code := subprocess.run(["wine", str(programs / f"{name}.exe")]).returncode:
            return code
        print(f"{name} passed", flush=True)
    files = [f"tests/kernels/{name}_test.py" for name in FILES]
    runner = f"--runner=wine {programs / RUNNER}.exe"
    command = [sys.executable, "-m", "pytest", "-q", "-k", "not aarch64", runner, *files]
    return subprocess.run(command, cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
