"""The system calls of a process that change a folder, in order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHANGES = (
    *("creat", "write", "pwrite64", "writev", "truncate", "ftruncate", "fsync", "fdatasync"),
    *("rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir"),
    *("link", "linkat", "symlink", "symlinkat", "sendfile", "copy_file_range", "fallocate"),
)
"""What is traced beside the opening of files."""
_CALL = re.compile(r"^\d+ +(\w+)\((.*)\) += (\d+)")
_DESCRIPTOR = re.compile(r"^\d+<((?:\\x[0-9a-f]{2})+)>")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


@dataclass(frozen=True)
class Call:
    """A call that changed something, or made it durable.

    Attributes:
        name: `create`, `write`, `truncate`, `sync`, `rename`, `unlink`, `mkdir` or `rmdir`.
        path: What it changed, in the folder; `.` is the folder itself, `..` what it lies in.
        other: The new name, of a renaming.
        data: The bytes, of writing.
        size: The length, of truncating.
    """

    name: str
    path: str
    other: str = ""
    data: bytes = b""
    size: int = 0


def environment() -> dict[str, str]:
    """That of a process which is traced: it writes no files but those of its work."""
    skip = {"SKBUILD_EDITABLE_SKIP": str(ROOT / "build" / "ed")}
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **skip}


def record(arguments: Sequence[object]) -> list[str]:
    """Runs Python with these arguments, and returns its system calls as strace writes them."""
    with tempfile.NamedTemporaryFile("r") as log:
        subprocess.run(
            [
                *("strace", "-f", "-y", "-xx", "-s", str(1 << 24), "--seccomp-bpf", "-o", log.name),
                *("-e", f"trace=open,openat,{','.join(CHANGES)}", sys.executable),
                *map(str, arguments),
            ],
            cwd=ROOT,
            env=environment(),
            check=True,
            capture_output=True,
        )
        return log.readlines()


def changes(lines: Sequence[str], folder: Path) -> Iterator[Call]:
    """What calls changed in a folder, which is given as an absolute path without links."""
    escaped = "".join(f"\\x{byte:02x}" for byte in os.fsencode(folder))
    for line in lines:
        matched = _CALL.match(line)
        if matched is None:  # it failed, or is no call
            assert escaped not in line or "= -1" in line, line
            continue
        name, arguments, returned = matched.groups()
        touched = _DESCRIPTOR.match(arguments)
        paths = [os.fsdecode(_bytes(text)) for text in _TEXT.findall(arguments)]
        if touched:
            path = os.fsdecode(_bytes(touched[1]))
        elif paths:
            path = paths[0]
        else:
            continue
        if Path(path) == folder.parent and name == "fsync":
            yield Call("sync", "..")
        if not Path(path).is_relative_to(folder):
            continue
        inside = str(Path(path).relative_to(folder))
        if name in ("open", "openat"):
            if "O_CREAT" in arguments:
                yield Call("create", inside)
            assert "O_TRUNC" not in arguments, line
        elif name == "write":
            data = _bytes(_TEXT.findall(arguments)[0])
            assert len(data) == int(returned), "strace cut it"
            yield Call("write", inside, data=data)
        elif name == "ftruncate":
            yield Call("truncate", inside, size=int(arguments.rpartition(", ")[2]))
        elif name in ("fsync", "fdatasync"):
            yield Call("sync", inside)
        elif name == "rename":
            yield Call("rename", inside, other=str(Path(paths[1]).relative_to(folder)))
        elif name in ("unlink", "mkdir", "rmdir"):
            yield Call(name, inside)
        else:
            raise AssertionError(f"the disk does not know this call: {line[:200]}")


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))
