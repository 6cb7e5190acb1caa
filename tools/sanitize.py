"""Runs the kernel tests on a build with sanitizers: `python -m tools.sanitize thread`.

The build goes to build/sanitize-<names>, beside the one that is installed. Python itself is not
instrumented, so the sanitizers' libraries are loaded before it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = "tests/kernels"
LIBRARIES = {"address": "libasan.so", "undefined": "libubsan.so", "thread": "libtsan.so"}
SETTINGS = {
    # Python frees much only when it ends; its leaks are not ours.
    "ASAN_OPTIONS": "detect_leaks=0",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": f"halt_on_error=1 suppressions={ROOT / 'tools' / 'tsan.supp'}",
    # NumPy computes the references; TSan cannot see its library's threads synchronise.
    "OPENBLAS_NUM_THREADS": "1",
}
NOT_HERE = ("fork", "symbols", "cpp_test", "isa_test", "aarch64")
"""TSan does not support forks; the other tests build or start programs of their own."""


def main() -> int:
    """Builds and tests; the exit code of pytest."""
    parser = argparse.ArgumentParser(prog="python -m tools.sanitize", description=__doc__)
    parser.add_argument("sanitizers", help="as for -fsanitize=: address,undefined or thread")
    parser.add_argument("pytest", nargs="*", default=[TESTS], help="what to test")
    arguments = parser.parse_args()
    names = arguments.sanitizers.split(",")
    folder = ROOT / "build" / f"sanitize-{'-'.join(names)}"
    site = folder / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade"]
    options = [
        "--no-build-isolation",
        f"-Ccmake.define.SAKEDGE_SANITIZE={arguments.sanitizers}",
        "-Ccmake.define.SAKEDGE_CALLS=ON",
        "-Cinstall.strip=false",
        f"-Cbuild-dir={folder / 'cmake'}",
        f"--target={site}",
    ]
    subprocess.run([*pip, *options, str(ROOT)], check=True)
    packages = [path for path in sys.path if path.endswith("site-packages")]
    paths = [str(site), str(ROOT), *packages]
    environment = {
        **os.environ,
        **SETTINGS,
        "LD_PRELOAD": " ".join(library(LIBRARIES[name]) for name in names),
        # No site-packages hook: it would import the editable build.
        "PYTHONPATH": os.pathsep.join(paths),
    }
    chosen = ["-k", " and ".join(f"not {name}" for name in NOT_HERE)]
    # Native code writes its report to a stream that pytest would otherwise capture.
    options = ["-q", "--capture=sys", "-p", "no:cacheprovider"]
    base = [sys._base_executable, "-S", "-m", "pytest", *options]  # type: ignore[attr-defined]
    return subprocess.run([*base, *chosen, *arguments.pytest], env=environment, cwd=ROOT).returncode


def library(name: str) -> str:
    """Where the compiler keeps a sanitizer's library."""
    compiler = os.environ.get("CXX", "g++")
    found = subprocess.run([compiler, f"-print-file-name={name}"], capture_output=True, text=True)
    return found.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
