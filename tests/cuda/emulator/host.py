"""Kernels as the host's compiler reads them, open to debuggers and sanitizers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tests.cuda.emulator.build import (
    COMPILER,
    FLAGS,
    Unit,
    closure,
    emulator_units,
    library,
    remembered,
    run,
)


def build(sources: Sequence[Path]) -> tuple[Path, dict[str, str]]:
    """A library of kernels, and the names of the kernels and their argument structs."""
    entries: dict[str, str] = {}
    for source in sources:
        entries |= entries_of(source)
    units = [Unit.of(source, "-O1", "-Wall", "-Wextra", "-Wshadow") for source in sources]
    return library([*emulator_units(), *units]), entries


def entries_of(source: Path) -> dict[str, str]:
    """Names of a file's kernels, and of their argument structs."""
    command = [COMPILER, *FLAGS, "-E", "-P", "-x", "c++", str(source)]
    made_of = [*command, *closure(source.read_text(), source.parent)]
    path = remembered(made_of, "i", lambda target: target.write_text(run(command)))
    return dict(re.findall(r"static const bool (\w+?)_takes_(\w+) =", path.read_text()))
