"""AVX-VNNI's kernels are encoded for CPUs without AVX-512, which no test machine need be."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.skipif(platform.machine() != "x86_64", reason="an instruction set of x86-64"),
    pytest.mark.skipif(shutil.which("objdump") is None, reason="objdump is not on the PATH"),
]

EVEX = "62"
"""First byte of every instruction of AVX-512 in 64-bit mode; there it begins no other."""


def _instructions(build: Path, target: str) -> list[tuple[str, str]]:
    """(bytes, text) of every instruction in the one object of a target."""
    (path,) = build.glob(f"**/CMakeFiles/{target}.dir/**/*.o")
    printed = subprocess.run(
        ["objdump", "--disassemble", "--wide", str(path)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return re.findall(r"^\s*[0-9a-f]+:\t([0-9a-f ]+)\t(.+)$", printed, flags=re.MULTILINE)


def test_avx_vnni_is_encoded_as_avx(debug_build: Path) -> None:
    found = _instructions(debug_build, "sakedge_isa_avx_vnni")
    products = [text for _, text in found if "vpdpbusd" in text]
    assert products
    assert all(text.startswith("{vex} vpdpbusd ") for text in products)
    assert not [text for code, text in found if code.startswith(EVEX) or "zmm" in text]


def test_its_variant_is_encoded_as_avx512(debug_build: Path) -> None:
    """So the same kernels run on CPUs that have the instruction in that encoding alone."""
    found = _instructions(debug_build, "sakedge_table_avx_vnni_evex")
    products = [(code, text) for code, text in found if "vpdpbusd" in text]
    assert products
    assert all(code.startswith(EVEX) and "ymm" in text for code, text in products)
