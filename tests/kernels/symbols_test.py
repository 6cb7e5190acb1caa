"""An instruction set's object exports its table and nothing else.

At -O0 nothing is inlined, so every inline function that a kernel calls is there as a weak symbol,
and the linker could take this copy, with its wide instructions, for the whole program.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.kernels.machines import ISAS

LOCAL = set("tbdrnNUaA")  # text, bss, data, read-only, debugging, undefined, absolute


def _exported(path: Path, nm: str = "nm") -> list[str]:
    output = subprocess.run(
        [nm, "--demangle", str(path)], capture_output=True, text=True, check=True
    ).stdout
    lines = re.findall(r"^\S*\s+(\w) (.+)$", output, flags=re.MULTILINE)
    return [name for kind, name in lines if kind not in LOCAL]


@pytest.mark.skipif(shutil.which("nm") is None, reason="nm is not on the PATH")
@pytest.mark.parametrize("isa", ISAS)
def test_object_exports_its_table_alone(request: pytest.FixtureRequest, isa: str) -> None:
    architecture, _, name = isa.rpartition(" ")
    build = request.getfixturevalue(
        f"{architecture}_debug_build" if architecture else "debug_build"
    )
    objects = list(build.glob(f"CMakeFiles/sakedge_isa_{name}.dir/**/*.o"))
    assert len(objects) == 1
    table = "".join(part.capitalize() for part in name.split("_"))
    nm = f"{architecture}-linux-gnu-nm" if architecture else "nm"
    assert _exported(objects[0], nm) == [f"sakedge::cpu::k{table}Table"]


@pytest.mark.skipif(shutil.which("nm") is None, reason="nm is not on the PATH")
def test_reader_of_symbols_sees_weak_ones(debug_build: Path) -> None:
    objects = list(debug_build.glob("CMakeFiles/sakedge_core.dir/**/thread_pool.cpp.o"))
    exported = _exported(objects[0])
    assert any("std::" in name for name in exported), "weak symbols of templates are not seen"
