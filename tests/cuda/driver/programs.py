"""The C++ tests of this folder: programs that run one test each, on the emulated driver."""

from __future__ import annotations

import functools
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.cuda.driver.driver import BUILT, build, environment
from tests.cuda.emulator import shipped

TOY = Path(__file__).parent / "toy.cu"


@dataclass(frozen=True)
class Done:
    """What a test did: its exit status, what it printed, what the emulated driver found."""

    status: int
    output: str
    errors: str
    findings: str


@functools.cache
def _toy() -> dict[str, str]:
    """What gives a program the driver with the kernels of toy.cu."""
    library, _ = shipped.build([TOY])
    ptx = shipped.ptx_of(TOY).encode()
    given = environment({ptx: library})
    image = BUILT / "toy.ptx"
    image.write_bytes(ptx)
    return given | {"TOY_IMAGE": str(image)}


def names_of(program: str) -> set[str]:
    """Names of all tests of a program."""
    return set(_run(program).stdout.split())


def run(program: str, test: str, **settings: object) -> Done:
    """Runs a test of a program, on a device of these settings (settings.h, in small letters)."""
    named = {f"EMULATED_CUDA_{name.upper()}": str(value) for name, value in settings.items()}
    done = _run(program, test, **_toy(), **named)
    findings = re.findall("^emulated driver: (.*)", done.stderr, re.MULTILINE)
    return Done(done.returncode, done.stdout, done.stderr, "\n".join(findings))


def _run(program: str, *arguments: str, **given: str) -> subprocess.CompletedProcess[str]:
    path = build(program) / program
    environ = os.environ | given
    return subprocess.run([str(path), *arguments], env=environ, capture_output=True, text=True)
