"""Runs the CUDA kernels as C++ of the host under ASan and UBSan: `python -m tools.sanitize_cuda`.

The emulator checks what kernels do to the memory that they are given, the sanitizers all else:
overflowing indices, shifts, misaligned casts, locals. PTX has no undefined behaviour to find.
"""

from __future__ import annotations

import os
import subprocess
import sys

from tools.sanitize import LIBRARIES, ROOT, SETTINGS, library

NAMES = ("address", "undefined")
FOLDER = ROOT / "build" / "sanitize-cuda"
TESTS = ("tests/cuda", "-p", "tools.gpu_check.only_kernels", "--cuda-path", "host")


def main() -> int:
    """The exit code of pytest."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    compiler = FOLDER / "c++"
    # A compiler of its own, as the emulator's builds know only one word for theirs.
    compiler.write_text(
        "#!/bin/sh\nunset LD_PRELOAD\n"
        f"exec {os.environ.get('CXX', 'g++')} -g -fsanitize={','.join(NAMES)} "
        '-fno-sanitize-recover=undefined "$@"\n'
    )
    compiler.chmod(0o755)
    environment = {
        **os.environ,
        **SETTINGS,
        "CXX": str(compiler),
        "LD_PRELOAD": " ".join(library(LIBRARIES[name]) for name in NAMES),
    }
    command = [sys.executable, "-m", "pytest", "-q", "--capture=sys", "-p", "no:cacheprovider"]
    arguments = sys.argv[1:]
    return subprocess.run([*command, *TESTS, *arguments], env=environment, cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
