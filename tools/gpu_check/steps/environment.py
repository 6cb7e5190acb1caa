"""What is here, and what each missing thing keeps from running."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import metadata
from importlib.util import find_spec

from tools.gpu_check import gpu
from tools.gpu_check.devices import closest
from tools.gpu_check.step import Given

# Module, distribution, and the steps that cannot do without.
_NEEDED = (
    ("numpy", "numpy", "all"),
    ("pytest", "pytest", "conformance, kernels"),
    ("pytest_timeout", "pytest-timeout", "conformance, kernels"),
    ("onnx", "onnx", "student, calls, benchmark"),
    ("onnxruntime", "onnxruntime", "student, calls"),
    ("pydantic", "pydantic", "student, calls, benchmark"),
    ("safetensors", "safetensors", "student, calls, benchmark"),
    ("PIL", "pillow", "student, calls, benchmark"),
    ("torch", "torch", "student, calls, benchmark"),
    ("yaml", "pyyaml", "student, calls, benchmark"),
    ("psutil", "psutil", "benchmark"),
    ("scikit_build_core", "scikit-build-core", "build"),
    ("pybind11", "pybind11", "build"),
)
_PROGRAMS = (("g++", "build"), ("cmake", "build"), ("ninja", "build"))
_OPTIONAL = ("nvcc", "compute-sanitizer", "trtexec", "ptxas")
_REMEDY = (
    "where there is a network: pip download --no-deps --only-binary=:all: --platform "
    "manylinux2014_x86_64 --python-version {0}.{1} -d wheels {2}; here: pip install --no-index "
    "--no-deps --target build/gpu_check/site wheels/*"
)


def run(given: Given) -> None:
    """Names the GPU, the packages and the programs."""
    findings = given.findings
    found, why = gpu.find()
    if found is None:
        if given.rehearse:
            findings.skipped("GPU", why)
        else:
            findings.failed("GPU", f"{why}; --rehearse goes as far as it can without one")
    else:
        row = closest(found.name, found.arch, found.multiprocessors)
        floor = row.name if row else "no row in devices.py: no floor is known"
        findings.measured(
            "GPU",
            f"{found.name}, {found.arch}, {found.multiprocessors} multiprocessors, "
            f"{found.mebibytes} MiB, driver of {found.driver}; peaks: {floor}",
            gpu=vars(found),
        )
    findings.measured(
        "host",
        f"Python {sys.version.split()[0]}, {os.cpu_count()} CPUs, NVRTC {_nvrtc()}",
        nvrtc=_nvrtc(),
    )
    missing = []
    for module, name, steps in _NEEDED:
        if find_spec(module) is None:
            missing.append(name)
            findings.failed(name, f"missing; needed by {steps}")
    if missing:
        names = [*missing, *(["pydantic-core"] if "pydantic" in missing else [])]
        print(f"  {_REMEDY.format(*sys.version_info[:2], ' '.join(names))}", flush=True)
    for program, steps in _PROGRAMS:
        beside = os.path.dirname(sys.executable) + os.pathsep + os.environ.get("PATH", "")  # noqa: PTH120
        findings.judged(program, shutil.which(program, path=beside) is not None, f"for {steps}")
    for program in _OPTIONAL:
        path = shutil.which(program)
        if path is None:
            findings.skipped(program, "not on the PATH")
        else:
            findings.passed(program, _version(path))
    versions = {name: metadata.version(name) for _, name, _ in _NEEDED if name not in missing}
    findings.measured("versions", ", ".join(f"{n} {v}" for n, v in versions.items()))


def _version(program: str) -> str:
    try:
        ran = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return program
    return next((line for line in reversed(ran.stdout.splitlines()) if line.strip()), program)


def _nvrtc() -> str:
    from tests.cuda.emulator.shipped import compile_kernels

    found = []
    for major in (12, 13):
        try:
            found.append(compile_kernels.Compiler.find(major).version)
        except FileNotFoundError:
            continue
    return " and ".join(found) or "missing"
