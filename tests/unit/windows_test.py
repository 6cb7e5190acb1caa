"""What only POSIX has stays in `files/`, or is asked for where it is used."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "python" / "sakedge"

# Takes from Python what it has not got on Windows, after the libraries that need it are loaded, and
# then imports the modules named and has them look at a student.
SCRIPT = """
import importlib, os, signal, sys, types
import numpy, onnx, onnxruntime, PIL.Image, pydantic, safetensors, typer, rich.console
import asyncio, multiprocessing, shutil, subprocess, tempfile
missing = ["fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios"]
sys.modules.update(dict.fromkeys(missing))  # importing one is an ImportError
sys.modules["msvcrt"] = types.SimpleNamespace(LK_NBLCK=2, LK_UNLCK=0, locking=lambda *_: None)
for name in ("fork", "register_at_fork", "getuid", "geteuid", "getgid", "getegid", "sysconf",
             "sched_getaffinity", "getpgid", "killpg", "setsid", "O_NOFOLLOW", "O_NONBLOCK",
             "O_CLOEXEC", "O_DIRECTORY", "statvfs", "mkfifo", "chown", "getloadavg", "nice"):
    delattr(os, name)
for name in ("SIGHUP", "SIGALRM", "SIGUSR1", "SIGUSR2", "setitimer", "alarm"):
    delattr(signal, name)
for name in sys.argv[2:]:
    importlib.import_module(name)
import sakedge
from sakedge.runtime.threads import processors
processors()
with sakedge.load(sys.argv[1], backend="onnxruntime") as student:
    result = student(numpy.zeros((*student.input_size, 3), numpy.uint8))
print(len(result))
"""


def modules() -> Iterator[str]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        if path.name != "__main__.py":
            yield ".".join(parts[:-1] if path.name == "__init__.py" else parts)


def test_every_module_loads_and_a_student_runs_without_what_windows_lacks(
    tiny_student: Path,
) -> None:
    optional = ("sakedge.convert", "sakedge.backends.openvino", "sakedge.sources")
    names = [name for name in modules() if not name.startswith(optional)]
    command = [sys.executable, "-c", SCRIPT, str(tiny_student), *names]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert ran.stdout.split() == ["5"]


POSIX = ("unistd.h", "dlfcn.h", "pthread.h", "sys/mman.h", "sys/auxv.h", "sys/syscall.h")


@pytest.mark.parametrize("header", POSIX)
def test_headers_of_posix_are_included_where_another_system_has_a_branch(header: str) -> None:
    for path in [*(ROOT / "csrc").rglob("*.cpp"), *(ROOT / "csrc").rglob("*.h")]:
        lines = path.read_text().splitlines()
        if f"#include <{header}>" in lines:
            before = lines[: lines.index(f"#include <{header}>")]
            opened = sum(line.startswith("#if") - line.startswith("#endif") for line in before)
            assert opened > 0, f"{path.name} includes {header} on every system"
