"""Whether a bundle is for this machine, and which Python here can install it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

from sakedge.bundling.installer.manifest import Manifest, minor
from sakedge.errors import InstallError

_SPARE = 64 << 20
"""Bytes that are to be left free."""
_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


def check_machine(manifest: Manifest) -> None:
    """Refuses a bundle for another machine.

    Raises:
        InstallError: It is for another processor, or this system's C library is older.
    """
    here = platform.machine()
    if here != manifest.machine:
        raise _other(manifest, f"a machine {manifest.machine}", here)
    name, glibc = platform.libc_ver()
    try:
        is_enough = name == "glibc" and minor(glibc) >= minor(manifest.glibc)
    except ValueError:
        is_enough = False
    if not is_enough:
        raise _other(manifest, f"glibc {manifest.glibc} or newer", f"{name or 'another'} {glibc}")


def find_python(version: str, what: str) -> Path:
    """A Python of this machine, and none of a virtual environment, which may go.

    Args:
        version: Which, as 3.12.
        what: What is to run in it, for the message.

    Raises:
        InstallError: There is none.
    """
    base = getattr(sys, "_base_executable", sys.executable)
    for name in (base, f"python{version}", "python3"):
        path = shutil.which(name) if re.fullmatch(r"[\w./+-]+", name) else None
        if path is not None and version_of(Path(path)) == version:
            return Path(os.path.realpath(path))
    raise InstallError(
        f"there is no Python here that {what} runs in",
        expected=f"Python {version}, as python{version} on the PATH",
        got="Python {}.{}".format(*sys.version_info[:2]),
        remedy="Make a bundle for the Python of this machine: `sakedge bundle targets`",
    )


def version_of(python: Path) -> str:
    """The version of a Python, as 3.12; empty if it does not run."""
    try:
        ran = subprocess.run([python, "-I", "-c", _VERSION], capture_output=True, text=True)
    except OSError:
        return ""
    return ran.stdout.strip()


def check_space(folder: Path, needed: int) -> None:
    """Refuses before anything is written if the disk has too little room.

    Args:
        folder: Where it will be written; it need not be there yet.
        needed: Bytes.

    Raises:
        InstallError: There is too little.
    """
    there = next(each for each in (folder, *folder.parents) if each.exists())
    free = shutil.disk_usage(there).free
    if free < needed + _SPARE:
        raise InstallError(
            f"there is too little room in {there}",
            expected=f"{(needed + _SPARE) >> 20} MiB",
            got=f"{free >> 20} MiB free",
            remedy="Free some space, or give another folder by --prefix",
        )


def _other(manifest: Manifest, expected: str, got: str) -> InstallError:
    return InstallError(
        f"this bundle is for {manifest.target}, which is another machine",
        expected=expected,
        got=got,
        remedy="Make one for this machine: `sakedge bundle targets`",
    )
