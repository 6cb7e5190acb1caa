"""Pythons on this machine, and the headers of those that it has not."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

DEBIAN = "http://deb.debian.org/debian"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SUITE = "forky"
"""The release of Debian that headers are taken from: it has Pythons that older ones lack."""


class HeadersError(Exception):
    """There are no headers of a Python here, and none to be had."""


def interpreter(python: str) -> Path | None:
    """An interpreter of this version, e.g. 3.12, on the path or of pyenv."""
    candidates = [shutil.which(f"python{python}")]
    pyenv = Path.home() / ".pyenv" / "versions"
    candidates += sorted(str(p) for p in pyenv.glob(f"{python}.*/bin/python{python}"))
    for candidate in filter(None, candidates):
        # One of pyenv's shims is on the path whether or not it starts anything.
        asked = [candidate, "-c", "import sys; print(sys.executable, *sys.version_info[:2])"]
        ran = subprocess.run(asked, capture_output=True, text=True)
        path, *version = ran.stdout.split() or [""]
        if ran.returncode == 0 and ".".join(version) == python:
            return Path(path)
    return None


def headers(python: str, cache: Path) -> Path:
    """The folder of `Python.h`, of an interpreter here or else of Debian's package.

    One folder serves both machines: on 64-bit Linux, `pyconfig.h` of x86-64 and of Arm differ only
    in lines that matter to those who compile Python itself (inline assembly, support tiers).

    Raises:
        HeadersError: There is neither; the message says why.
    """
    if (path := interpreter(python)) is not None:
        code = "import sysconfig; print(sysconfig.get_path('include'))"
        ran = subprocess.run([path, "-c", code], capture_output=True, text=True, check=True)
        folder = Path(ran.stdout.strip())
        if (folder / "Python.h").exists():
            return folder
    kept = cache / f"python{python}"
    if not kept.exists():
        _fetch(python, kept)
    return kept


def _fetch(python: str, kept: Path) -> None:
    """Debian's headers of a Python; what is installed on this machine stays as it is."""
    package = f"libpython{python}-dev"
    if shutil.which("apt-get") is None or not KEYRING.exists():
        raise HeadersError(f"no python{python} here, and no apt-get to fetch {package} with")
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for name in ("state/lists/partial", "cache/archives/partial", "unpacked"):
            (place / name).mkdir(parents=True)
        (place / "status").touch()
        sources = place / "sources.list"
        sources.write_text(f"deb [signed-by={KEYRING}] {DEBIAN} {SUITE} main\n")
        settings = {
            "Dir::State": place / "state",
            "Dir::State::status": place / "status",
            "Dir::Cache": place / "cache",
            "Dir::Etc::sourcelist": sources,
            "Dir::Etc::sourceparts": "-",
            "APT::Architecture": "amd64",
            "APT::Architectures": "amd64",
            "APT::Sandbox::User": "root",
        }
        apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in settings.items())]
        for command in ("update", f"download {package}"):
            ran = subprocess.run(
                [*apt, *command.split()], cwd=place, capture_output=True, text=True
            )
            if ran.returncode:
                raise HeadersError(f"no python{python} here, and {package}: {ran.stderr.strip()}")
        unpacked = place / "unpacked"
        subprocess.run(["dpkg-deb", "-x", next(place.glob("*.deb")), unpacked], check=True)
        include = unpacked / "usr" / "include"
        # Debian's own pyconfig.h only includes that of the machine.
        own = include / "x86_64-linux-gnu" / f"python{python}" / "pyconfig.h"
        shutil.copy(own, include / f"python{python}" / "pyconfig.h")
        shutil.copytree(include / f"python{python}", kept)
