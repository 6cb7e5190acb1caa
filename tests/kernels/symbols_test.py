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

pytestmark = pytest.mark.skipif(shutil.which("nm") is None, reason="nm is not on the PATH")


class Objects:
    """Symbols of one instruction set's objects, in a build without optimisation."""

    def __init__(self, request: pytest.FixtureRequest, isa: str) -> None:
        architecture, _, self.name = isa.rpartition(" ")
        fixture = f"{architecture}_debug_build" if architecture else "debug_build"
        self._build: Path = request.getfixturevalue(fixture)
        self._nm = f"{architecture}-linux-gnu-nm" if architecture else "nm"

    def symbols(self, kind: str) -> list[tuple[str, str]]:
        """(type, name) in the object of target sakedge_<kind>_<isa>."""
        (path,) = self._build.glob(f"**/CMakeFiles/sakedge_{kind}_{self.name}.dir/**/*.o")
        return _symbols(path, self._nm)


@pytest.fixture(params=ISAS)
def objects(request: pytest.FixtureRequest) -> Objects:
    return Objects(request, request.param)


def _symbols(path: Path, nm: str = "nm") -> list[tuple[str, str]]:
    output = subprocess.run(
        [nm, "--demangle", str(path)], capture_output=True, text=True, check=True
    ).stdout
    return re.findall(r"^\S*\s+(\w) (.+)$", output, flags=re.MULTILINE)


def _exported(symbols: list[tuple[str, str]]) -> list[str]:
    return [name for kind, name in symbols if kind not in LOCAL]


def test_object_exports_its_table_alone(objects: Objects) -> None:
    table = "".join(part.capitalize() for part in objects.name.split("_"))
    assert _exported(objects.symbols("isa")) == [f"sakedge::cpu::k{table}Table"]


def test_object_of_peaks_exports_its_table_alone(objects: Objects) -> None:
    assert _exported(objects.symbols("peak")) == [f"sakedge::calls::{objects.name}::kPeaks"]


def test_peaks_are_in_their_own_object_alone(objects: Objects) -> None:
    assert any("::peak<" in name for _, name in objects.symbols("peak"))
    assert not any("peak" in name for _, name in objects.symbols("isa"))


def test_reader_of_symbols_sees_weak_ones(debug_build: Path) -> None:
    objects = list(debug_build.glob("CMakeFiles/sakedge_core.dir/**/thread_pool.cpp.o"))
    exported = _exported(_symbols(objects[0]))
    assert any("std::" in name for name in exported), "weak symbols of templates are not seen"
