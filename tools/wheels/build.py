"""Builds one wheel. The C++ of a machine is compiled once; only the bindings know a Python."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.wheels.interpreters import headers
from tools.wheels.measure import measure, platform_tags
from tools.wheels.targets import Target

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "wheels"
ARCHS = ("sm_80", "sm_87", "sm_89", "sm_90", "sm_110", "sm_120", "compute_80")


class BuildError(Exception):
    """A step failed; the message ends with what it printed."""


def missing_tools(machines: tuple[str, ...]) -> list[str]:
    """What to install before wheels for these machines can be built."""
    lacking = [
        f"{machine}-linux-gnu-g++ (Debian's g++{'-' + machine + '-linux-gnu'})"
        for machine in machines
        if shutil.which(f"{machine}-linux-gnu-g++") is None
    ]
    packages = {"ziglang": "ziglang", "auditwheel": "auditwheel", "scikit_build_core": "build"}
    for module, name in packages.items():
        if importlib.util.find_spec(module) is None:
            lacking.append(f"{name} (pip install --group wheels --group build)")
    return lacking


def kernel_archive() -> Path:
    """The images of the CUDA kernels, compiled once for all wheels."""
    path = BUILD / "kernels.zip"
    folders = [ROOT / "csrc" / "cuda" / name for name in ("device", "kernels")]
    compiler = ROOT / "cmake" / "compile_kernels.py"
    sources = [compiler, *(file for folder in folders for file in folder.iterdir())]
    if not path.exists() or path.stat().st_mtime < max(s.stat().st_mtime for s in sources):
        path.parent.mkdir(parents=True, exist_ok=True)
        archs = [f"--arch={arch}" for arch in ARCHS]
        _run([sys.executable, str(compiler), *archs, "--archive", str(path)])
    return path


def build(target: Target, output: Path) -> Path:
    """Builds a wheel, measures what it needs, and puts it under its tag into `output`.

    Raises:
        HeadersError: There are no headers of this Python.
        BuildError: A compiler refused.
        WrongWheelError: What came out is not what a wheel may be.
    """
    import ziglang

    defines = {
        "CMAKE_TOOLCHAIN_FILE": ROOT / "cmake" / "manylinux.cmake",
        "SAKEDGE_MACHINE": target.machine,
        "SAKEDGE_ZIG": Path(ziglang.__file__).with_name("zig"),
        "SAKEDGE_PYTHON": "ON",
        "SAKEDGE_TESTS": "OFF",
        "SAKEDGE_UNITY": "ON",
        "SAKEDGE_CUDA": "ON" if target.cuda else "OFF",
        "SAKEDGE_CUDA_ARCHIVE": kernel_archive() if target.cuda else "",
        "Python_INCLUDE_DIR": headers(target.python, BUILD / "headers"),
        "PYTHON_MODULE_EXTENSION": target.extension,
        "PYTHON_MODULE_DEBUG_POSTFIX": "",
        "PYTHON_IS_DEBUG": "OFF",
    }
    settings = {
        "build-dir": BUILD / target.machine,
        "wheel.tags": f"{target.tag}-linux_{target.machine}",
        "wheel.reproducible": "true",
        "cmake.python-hints": "false",
        "install.strip": "false",  # the linker did
        **{f"cmake.define.{name}": value for name, value in defines.items()},
    }
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--no-deps"]
        options = ["--no-build-isolation", "--wheel-dir", folder]
        options += [f"-C{name}={value}" for name, value in settings.items()]
        _run([*pip, *options, str(ROOT)])
        made = next(Path(folder).glob("*.whl"))
        tags = platform_tags(measure(made, target))
        retag = ["-m", "wheel", "tags", "--remove", "--platform-tag", ".".join(tags), str(made)]
        _run([sys.executable, *retag])
        made = next(Path(folder).glob("*.whl"))
        return Path(shutil.move(made, output / made.name))


def _run(command: list[str]) -> None:
    """Runs a step with the clock of the last commit and zig's cache in the build folder."""
    log = ["git", "log", "-1", "--format=%ct"]
    commit = subprocess.run(log, cwd=ROOT, capture_output=True, text=True).stdout.strip()
    environment = {
        "SOURCE_DATE_EPOCH": commit or "315532800",
        **os.environ,
        "ZIG_GLOBAL_CACHE_DIR": str(BUILD / "zig"),
        "ZIG_LOCAL_CACHE_DIR": str(BUILD / "zig"),
    }
    environment.pop("SAKEDGE_CUDA", None)
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if ran.returncode:
        raise BuildError(f"{' '.join(command[:4])} …\n{(ran.stdout + ran.stderr)[-4000:]}")
