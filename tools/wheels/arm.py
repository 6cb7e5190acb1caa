"""Runs the aarch64 wheel in an arm64 Debian under an emulator: `python -m tools.wheels.arm`.

The root is made once, by debootstrap, in build/wheels/arm64; nothing in it reaches the network. The
wheel and what it depends on are installed there by its own pip, from wheels that were fetched for
that platform. Then

- `sakedge demo` runs all five tasks over all samples, and the trial as for x86 wheels;
- its logits are compared with those of the x86 wheel of the same Python, by the bounds of
  `sakedge verify`;
- the kernel tests run on a program of the wheel's very objects, the int8 ones bit by bit.

Needs root, debootstrap and qemu-user-static 10 or later (7.2 does not run onnxruntime).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from tools.wheels.build import BUILD, ROOT
from tools.wheels.check import TRIAL, install_and_try
from tools.wheels.interpreters import DEBIAN, interpreter

from sakedge.checks.tolerances import TOLERANCES

PYTHON = "3.11"
"""Debian 12's."""

ARM = BUILD / "arm64"
QEMU = Path("/usr/bin/qemu-aarch64-static")
BINFMT = Path("/proc/sys/fs/binfmt_misc")
MAGIC = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
CPU = "neoverse-n1"
"""A Jetson Orin's instructions, by and large. Emulated SVE, which newer ones have, takes a numeric
library many times as long."""

RUNNER = "sakedge_kernel_runner"
TESTS = ("sakedge_dispatch_test", "sakedge_thread_pool_test")


def main() -> int:
    """Runs all of it; 1 if numbers differ by more than the bounds or a test fails."""
    parser = argparse.ArgumentParser(prog="python -m tools.wheels.arm", description=__doc__)
    parser.add_argument("--dist", type=Path, default=ROOT / "dist", help="folder of the wheels")
    parser.add_argument("--no-kernels", action="store_true", help="leave out the kernel tests")
    given = parser.parse_args()
    tag = f"cp{PYTHON.replace('.', '')}"
    arm, x86 = (_wheel(given.dist, f"*-{tag}-*_{machine}.whl") for machine in ("aarch64", "x86_64"))
    make_root()
    numbers = run_wheel(arm)
    python = interpreter(PYTHON)
    if python is None:
        raise SystemExit(f"no python{PYTHON} here to run the x86 wheel with")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x86.npz"
        print("x86-64:", json.dumps(install_and_try(x86, python, path)), flush=True)
        failed = compare(dict(np.load(path)), numbers)
    if not given.no_kernels:
        failed |= kernel_tests() != 0
    print("aarch64 and x86-64 agree" if not failed else "FAILED")
    return int(failed)


def _wheel(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise SystemExit(f"expected one {pattern} in {folder}, found {len(found)}: make wheels")
    return found[0]


def make_root() -> None:
    """An arm64 Debian in build/wheels, and the kernel told who runs its programs."""
    if not (BINFMT / "register").exists():
        _run(["mount", "-t", "binfmt_misc", "none", BINFMT])
    if not any(BINFMT.glob("qemu-aarch64*")):
        (BINFMT / "register").write_text(f":qemu-aarch64:M::{MAGIC}:{MASK}:{QEMU}:F")
    if not (ARM / "made").exists():
        shutil.rmtree(ARM, ignore_errors=True)
        packages = "--include=python3,python3-venv"
        words = ["debootstrap", "--arch=arm64", "--variant=minbase", packages, "bookworm", ARM]
        _run([*words, DEBIAN])
        (ARM / "made").touch()


def run_wheel(wheel: Path) -> dict[str, np.ndarray]:
    """Installs a wheel in the root and runs it; the logits of the first sample."""
    for name in ("wheels", "venv", "out"):
        shutil.rmtree(ARM / name, ignore_errors=True)
    platforms = [f"--platform=manylinux_2_{minor}_aarch64" for minor in (17, 27, 28)]
    fetch = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    options = ["--only-binary=:all:", f"--python-version={PYTHON}", "--dest", ARM / "wheels"]
    _run([*fetch, *options, *platforms, "--platform=manylinux2014_aarch64", wheel.resolve()])
    shutil.copy(TRIAL, ARM / "trial.py")
    inside(["python3", "-m", "venv", "/venv"])
    install = ["/venv/bin/python", "-m", "pip", "install", "--quiet", "--no-compile", "--no-index"]
    inside([*install, "--find-links=/wheels", f"/wheels/{wheel.name}"])
    print(inside(["/venv/bin/sakedge", "demo", "--output", "/out"]), flush=True)
    numbers = ["--numbers", "/numbers.npz", "--images", "1"]
    print("aarch64:", inside(["/venv/bin/python", "-I", "/trial.py", *numbers]), flush=True)
    return dict(np.load(ARM / "numbers.npz"))


def inside(command: list[Any]) -> str:
    """Runs a command in the root, without a network; returns what it wrote."""
    return _run(["unshare", "--net", "chroot", ARM, *command])


def compare(x86: dict[str, np.ndarray], arm: dict[str, np.ndarray]) -> bool:
    """Prints the largest difference of each task, and whether one is beyond its bound."""
    failed = x86.keys() != arm.keys()
    for name in sorted(x86):
        bound = TOLERANCES[name.partition("/")[0]]
        theirs = x86[name].astype(np.float64)
        error = np.abs(arm[name] - theirs).max() / np.ptp(theirs)
        ok = bool(error <= bound)
        failed |= not ok
        print(f"{name}: {error:.2e} of the range, allowed {bound:.0e}{'' if ok else ': FAILED'}")
    return failed


def kernel_tests() -> int:
    """The C++ and kernel tests, on programs of the wheel's objects in the root; pytest's exit."""
    folder = BUILD / "aarch64"
    # Another CMake than the one that made the folder would compile all of it again.
    cache = (folder / "CMakeCache.txt").read_text()
    cmake = re.search(r"CMAKE_COMMAND:INTERNAL=(.+)", cache)[1]  # type: ignore[index]
    options = ["-DSAKEDGE_TESTS=ON", "-DSAKEDGE_PYTHON=OFF", "-DSAKEDGE_CUDA=OFF"]
    _run([cmake, "-S", ROOT, "-B", folder, *options])
    _run([cmake, "--build", folder, "--target", RUNNER, *TESTS])
    for name in (RUNNER, *TESTS):
        shutil.copy(folder / "tests" / "kernels" / name, ARM / name)
    for name in TESTS:
        inside([f"/{name}"])
        print(f"{name} passed", flush=True)
    os.environ["QEMU_CPU"] = "max"  # here every instruction set is wanted
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/kernels"]
    runner = f"--runner=chroot {ARM} /{RUNNER}"
    return subprocess.run([*command, "-k", "aarch64", runner], cwd=ROOT).returncode


def _run(command: list[Any]) -> str:
    words = [str(word) for word in command]
    environment = {**os.environ, "QEMU_CPU": CPU}
    ran = subprocess.run(words, capture_output=True, text=True, env=environment)
    if ran.returncode:
        raise SystemExit(f"{' '.join(words[:6])} …\n{(ran.stdout + ran.stderr)[-3000:]}")
    return ran.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
