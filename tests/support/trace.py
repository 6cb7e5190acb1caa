"""A command in an empty network namespace and under a system-call trace (Linux)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import sakedge
from sakedge import _core

ROOT = Path(__file__).parents[2]
_CHANGES = (
    *("creat", "mkdir", "mkdirat", "mknod", "mknodat", "link", "linkat", "symlink", "symlinkat"),
    *("rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "truncate"),
    *("chmod", "fchmodat", "chown", "fchownat", "lchown", "utimensat"),
)
_TRACED = ",".join(("%network", "open", "openat", *_CHANGES))
_CALL = re.compile(r"^(\w+)\((.*)")
_WRITING = re.compile(r"O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)")
_PATH = re.compile(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"')
_DESCRIPTOR = re.compile(r"^\d+<([^>]*)>, NULL")
_ADDRESSES = re.compile(r"AF_(INET6?|NETLINK|PACKET)")
_NAMES = re.compile(r'"/etc/(resolv\.conf|hosts|host\.conf)"')


@dataclass(frozen=True)
class Trace:
    """What a command did.

    Attributes:
        code: Its exit code.
        output: What it printed, standard output and error together.
        lines: Its system calls.
        folder: Where it was started.
    """

    code: int
    output: str
    lines: tuple[str, ...]
    folder: Path

    @property
    def network(self) -> list[str]:
        """Calls that concern an address, and openings of what a look-up of a name begins with."""
        return [line for line in self.lines if _ADDRESSES.search(line) or _NAMES.search(line)]

    @property
    def written(self) -> set[Path]:
        """Paths that it wrote to, made, changed, replaced or removed, or tried to."""
        return {self.folder / path for line in self.lines for path in _changed(line)}

    def written_outside(self, *folders: Path) -> list[str]:
        """Of those the ones that lie in none of some folders, nor are the null device."""
        within = (*folders, Path("/dev/null"))
        found = [path for path in self.written if not any(map(path.is_relative_to, within))]
        return sorted(map(str, found))


def traced(
    command: Sequence[str],
    scratch: Path,
    environment: Mapping[str, str],
    folder: Path = Path("/"),
) -> Trace:
    """Runs a command, with this environment and little else.

    Args:
        command: The program and its arguments.
        scratch: An empty folder for the trace.
        environment: Added to what no program runs without.
        folder: Where it is started.
    """
    alone, problem = _tools()
    if problem:
        pytest.skip(problem)
    log = scratch / "trace"
    ended = subprocess.run(
        [*alone, "strace", "-ff", "-qq", "-y", "-e", f"trace={_TRACED}", "-o", log, *command],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",  # of Python's own files beside what it imports
            # No compiler in the trace: not the editable package, which rebuilds itself.
            "SKBUILD_EDITABLE_SKIP": str(ROOT / "build" / "ed"),
            "PYTHONPATH": _installed().name,
            **environment,
        },
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    logs = sorted(scratch.glob("trace.*"))
    lines = [line for each in logs for line in each.read_text(errors="replace").splitlines()]
    return Trace(ended.returncode, ended.stdout, tuple(lines), folder)


@cache
def _installed() -> tempfile.TemporaryDirectory[str]:
    """A folder with the package as an installation has it, the compiled module inside."""
    folder = tempfile.TemporaryDirectory(prefix="sakedge-installed-")
    target = Path(folder.name) / "sakedge"
    shutil.copytree(
        Path(sakedge.__file__).parent, target, ignore=shutil.ignore_patterns("__pycache__")
    )
    if not any(target.glob("_core.*.so")):
        shutil.copy(_core.__file__, target)
    return folder


@cache
def _tools() -> tuple[list[str], str]:
    """How to run without a network, or why that or the trace cannot be had here."""
    if sys.platform != "linux":
        return [], "system calls are traced on Linux only"
    missing = [name for name in ("strace", "unshare") if shutil.which(name) is None]
    if missing:
        return [], f"not installed: {', '.join(missing)}"
    for alone in (["unshare", "-n"], ["unshare", "-rn"]):
        tried = subprocess.run(
            [*alone, "strace", "-qq", "-o", os.devnull, "true"], capture_output=True, text=True
        )
        if tried.returncode == 0:
            return alone, ""
    return [], f"no permission for a network namespace or a trace: {tried.stderr.strip()}"


def _changed(line: str) -> Iterator[str]:
    call = _CALL.match(line)
    if call is None:
        return
    name, arguments = call.groups()
    if name in ("open", "openat"):
        if _WRITING.search(arguments):
            yield _first(arguments)
    elif name in _CHANGES:
        touched = _DESCRIPTOR.match(arguments)
        if touched:
            yield touched[1]
        elif name.startswith("rename"):
            for base, path in _PATH.findall(arguments):
                yield str(Path(base) / path)
        elif name.startswith(("link", "symlink")):
            yield [str(Path(base) / path) for base, path in _PATH.findall(arguments)][-1]
        else:
            yield _first(arguments)


def _first(arguments: str) -> str:
    base, path = _PATH.findall(arguments)[0]
    return str(Path(base) / path)
