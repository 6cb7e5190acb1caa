"""A fresh system with nothing but a Python, in which a command runs without a network."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tools.check_bundle.standins import ROOT
from tools.wheels.arm import CPU

ROOTS = ROOT / "build" / "roots"
SUITES = {"3.11": "bookworm", "3.13": "trixie"}
"""Version of Python → the Debian that has it."""
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# In its own namespaces: no network device but a loopback that is down, its own processes.
_ENTER = (
    'mount -t proc proc "$0/proc" && mount -t sysfs -o ro sys "$0/sys" && '
    'cd / && exec chroot "$0" "$@"'
)
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Root:
    """A fresh Debian: minimal, with python3.

    Args:
        python: Version of its Python, one of `SUITES`.
        machine: `x86_64`, or `aarch64`, which needs an emulator (binfmt_misc, qemu-user-static).
        folder: Where one lies already; None makes one, once, by debootstrap.
    """

    def __init__(self, python: str, machine: str, folder: Path | None = None) -> None:
        suite, architecture = SUITES[python], _ARCHITECTURES[machine]
        clean = folder or ROOTS / f"{suite}-{architecture}"
        if not (clean / "usr/bin/python3").exists():
            clean.parent.mkdir(parents=True, exist_ok=True)
            options = ["--variant=minbase", "--include=python3", f"--arch={architecture}"]
            subprocess.run(["debootstrap", *options, suite, clean], check=True)
        # Always a new one: what an earlier check left is no fresh system.
        self.folder = ROOTS / f"used-{suite}-{architecture}"
        self.remove()
        shutil.copytree(clean, self.folder, symlinks=True, ignore=_devices)

    def run(self, *command: str | Path) -> str:
        """Runs a command in it without a network; returns what it printed.

        Raises:
            CalledProcessError: It failed; what it printed was shown.
        """
        alone = ["unshare", "--net", "--mount", "--pid", "--fork", "sh", "-c", _ENTER, self.folder]
        ran = subprocess.run(
            [*alone, *command],
            env={"PATH": _PATH, "HOME": "/root", "LC_ALL": "C.UTF-8", "QEMU_CPU": CPU},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        print(f"$ {' '.join(map(str, command))}\n{ran.stdout}", end="", flush=True)
        ran.check_returncode()
        return ran.stdout

    def put(self, path: Path, where: str) -> None:
        """Copies a file or folder into it."""
        target = self.folder / where
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, target)
        else:
            shutil.copyfile(path, target)

    def remove(self) -> None:
        """Removes it, which is not mounted anywhere any more."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _devices(folder: str, names: Sequence[str]) -> list[str]:
    """What no copy can have: devices, and what the kernel shows."""
    if Path(folder).name in ("proc", "sys"):
        return list(names)
    return [name for name in names if _is_special(Path(folder, name))]


def _is_special(path: Path) -> bool:
    return not (path.is_symlink() or path.is_dir() or path.is_file()) or path.parent.name == "dev"
