"""Builds kernels on the emulator, and remembers what it has built under `build/emulator`.

An object file is named by the digest of all that goes into it, so a change builds again what it
concerns and nothing else.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[3]
KERNELS = ROOT / "csrc" / "cuda" / "kernels"
OF_HOPPER = frozenset(KERNELS.glob("warpgroup_*.cu"))
"""Kernels of instructions that no other architecture has."""
BUILT = ROOT / "build" / "emulator"
INCLUDES = (ROOT / "csrc", ROOT / "tests" / "cuda")
COMPILER = os.environ.get("CXX", "g++")
# Such as "-fsanitize=address -g", with which Python runs under LD_PRELOAD=libasan.so.
EXTRA = os.environ.get("SAKEDGE_EMULATOR_FLAGS", "").split()
FLAGS = (
    "-std=c++20",
    "-fPIC",
    "-fvisibility=hidden",
    "-ffp-contract=off",  # a kernel says fma where it means it
    *(f"-I{path}" for path in INCLUDES),
    *EXTRA,
)


@dataclass(frozen=True)
class Unit:
    """What one object file is made of: a file that is there, or text."""

    name: str
    text: str
    flags: tuple[str, ...]
    folder: Path = field(default=KERNELS)  # of files that it includes without a path

    @classmethod
    def of(cls, path: Path, *flags: str) -> Unit:
        """A file."""
        return cls(path.name, path.read_text(), flags, path.parent)

    def build(self) -> Path:
        """The object file.

        Raises:
            RuntimeError: The compiler refused it, with its messages.
        """

        def compile_to(target: Path) -> None:
            command = [COMPILER, *FLAGS, *self.flags, f"-I{self.folder}", "-x", "c++", "-c", "-"]
            run([*command, "-o", str(target)], f'# 1 "{self.name}"\n{self.text}')

        made_of = [COMPILER, *FLAGS, *self.flags, *closure(self.text, self.folder)]
        return remembered(made_of, "o", compile_to)


def remembered(made_of: Iterable[str], suffix: str, make: Callable[[Path], object]) -> Path:
    """A file that `make` writes, or wrote before out of the same."""
    digest = hashlib.sha256()
    for text in made_of:
        digest.update(hashlib.sha256(text.encode()).digest())
    target = BUILT / f"{digest.hexdigest()[:24]}.{suffix}"
    if not target.exists():
        BUILT.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(f".{os.getpid()}-{threading.get_ident()}.{suffix}")
        make(part)
        part.rename(target)
    return target


def run(command: Sequence[str], text: str = "") -> str:
    """Runs a compiler; returns what it printed.

    Raises:
        RuntimeError: It failed, with its messages.
    """
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr}")
    return done.stdout


def closure(text: str, folder: Path) -> list[str]:
    """A source and all of our files that it includes, directly or not."""
    seen: dict[Path, str] = {}
    texts = [text]

    def follow(text: str, folder: Path) -> None:
        for name in re.findall(r'^\s*#\s*include\s+"([^"]+)"', text, re.MULTILINE):
            for path in (folder / name, *(base / name for base in INCLUDES)):
                if path.exists():
                    if path.resolve() not in seen:
                        seen[path.resolve()] = path.read_text()
                        follow(seen[path.resolve()], path.parent)
                    break

    follow(text, folder)
    return texts + [seen[path] for path in sorted(seen)]


def emulator_units(*flags: str) -> list[Unit]:
    """The emulator itself."""
    return [
        Unit.of(path, "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", *flags)
        for path in sorted(Path(__file__).parent.glob("*.cpp"))
    ]


def library(units: Iterable[Unit], *flags: str) -> Path:
    """Builds units, two at a time, and links them to a library.

    Raises:
        RuntimeError: A compiler refused something, with its messages.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = [str(path) for path in pool.map(Unit.build, units)]
    command = [COMPILER, "-shared", *EXTRA, *flags]
    return remembered(
        [*command, *objects], "so", lambda target: run([*command, "-o", str(target), *objects])
    )
