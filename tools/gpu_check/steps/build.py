"""Builds the package with its CUDA module, for the architecture of the device that is here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from importlib.util import find_spec

from tools.gpu_check import gpu
from tools.gpu_check.step import ROOT, Given, SkipError


def run(given: Given) -> None:
    """Compiles all kernels and reports their registers; installs sakedge into `site`."""
    found, why = gpu.find()
    if found is None and not given.rehearse:
        raise SkipError(f"for which architecture? {why}")
    arch = found.arch if found else "sm_87"
    _compile(given, arch)
    if found is None and find_spec("sakedge") and find_spec("sakedge._cuda"):
        given.findings.skipped("install", "a rehearsal takes the sakedge that is installed")
        return
    _install(given, arch)


def _compile(given: Given, arch: str) -> None:
    from tests.cuda.device import compiler_for

    compiler = compiler_for(arch)
    kernels = given.output / "kernels"
    begun = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "cmake/compile_kernels.py", "--arch", arch, "--output", str(kernels)],
        cwd=ROOT,
        env={**os.environ, "SAKEDGE_NVRTC": compiler.version.partition(".")[0]},
        capture_output=True,
        text=True,
    )
    if ran.returncode:
        given.findings.failed(f"kernels for {arch}", ran.stderr.strip()[-300:])
        return
    usage = {}
    for path in sorted(kernels.glob(f"*{arch}*.json")):
        usage.update(json.loads(path.read_text()))
    spilling = [name for name, each in usage.items() if each["spills"]]
    given.findings.values["usage"] = usage
    given.findings.judged(
        f"{len(usage)} kernels for {arch}",
        bool(usage) and not spilling,
        f"NVRTC {compiler.version}, {time.monotonic() - begun:.0f} s, "
        + (f"spills in {', '.join(spilling)}" if spilling else "no spills"),
    )


def _install(given: Given, arch: str) -> None:
    begun = time.monotonic()
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
        "--no-build-isolation", "--upgrade", "--target", str(given.output / "site"),
        "-Ccmake.define.SAKEDGE_CUDA=ON", f"-Ccmake.define.SAKEDGE_CUDA_ARCHS={arch}",
        f"-Cbuild-dir={given.output.resolve() / 'cmake'}", ".",
    ]  # fmt: skip
    from tests.cuda.device import compiler_for

    version = compiler_for(arch).version.partition(".")[0]
    ran = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "SAKEDGE_NVRTC": version},
        capture_output=True,
        text=True,
    )
    lines = (ran.stdout + ran.stderr).strip().splitlines() or [""]
    if ran.returncode:
        print("\n".join(lines[-30:]), flush=True)
    detail = f"{time.monotonic() - begun:.0f} s" if ran.returncode == 0 else lines[-1][:300]
    given.findings.judged("install", ran.returncode == 0, detail)
