"""What a wheel needs of the machine that it is installed on, read from its compiled modules."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from auditwheel.architecture import Architecture
from auditwheel.libc import Libc
from auditwheel.wheel_abi import analyze_wheel_abi
from elftools.elf.elffile import ELFFile
from packaging.utils import parse_wheel_filename
from tools.wheels.targets import FLOOR, Target

MACHINES = {"x86_64": "EM_X86_64", "aarch64": "EM_AARCH64"}
LIBRARIES = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "libgcc_s.so.1"}
LIBRARIES |= {"ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
PYTHON_SYMBOL = re.compile(r"_?Py[A-Z_]")
"""Py_IncRef, PyList_New, _Py_Dealloc: all that may come from whoever loads a module."""


class WrongWheelError(Exception):
    """A wheel is not what its name says, or not what may be shipped."""


@dataclass(frozen=True)
class Module:
    """A compiled module: where it lies, its machine, and symbols of its dynamic table."""

    path: str
    machine: str
    needed: frozenset[str]
    exported: frozenset[str]
    unversioned: frozenset[str]
    python: frozenset[str]


@dataclass(frozen=True)
class Measured:
    """A wheel's modules, and the oldest glibc that has all their symbols."""

    machine: str
    glibc: tuple[int, int]
    modules: tuple[Module, ...]


def measure(wheel: Path, target: Target) -> Measured:
    """Reads all modules of a wheel.

    Raises:
        WrongWheelError: It has other modules than its target has, or they are of another machine or
            Python, or need what no library that wheels may rely on has.
    """
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if name.endswith((".so", ".pyd"))}
        expected = {f"sakedge/{name}{target.extension}" for name in target.modules}
        if names != expected:
            raise WrongWheelError(f"{wheel.name}: expected {expected}, got {names}")
        images = archive.namelist().count("sakedge/kernels.zip")
        if images != int(target.cuda):
            raise WrongWheelError(f"{wheel.name}: has {images} archives of CUDA kernels")
        contents = {name: archive.read(name) for name in sorted(names)}
    modules = tuple(read_module(name, content) for name, content in contents.items())
    for module in modules:
        _judge(module, contents[module.path], target)
    return Measured(target.machine, glibc_of(wheel, target.machine), modules)


def read_module(path: str, content: bytes) -> Module:
    """What the dynamic section and the symbol table of an ELF file say."""
    elf = ELFFile(BytesIO(content))
    needed = {tag.needed for tag in elf.get_section_by_name(".dynamic").iter_tags("DT_NEEDED")}
    versions = elf.get_section_by_name(".gnu.version")
    exported, unversioned, python = set(), set(), set()
    for index, symbol in enumerate(elf.get_section_by_name(".dynsym").iter_symbols()):
        if not symbol.name or symbol["st_info"]["bind"] == "STB_LOCAL":
            continue
        if symbol["st_shndx"] != "SHN_UNDEF":
            exported.add(symbol.name)
        elif PYTHON_SYMBOL.match(symbol.name):
            python.add(symbol.name)
        elif symbol["st_info"]["bind"] != "STB_WEAK":
            version = versions.get_symbol(index)["ndx"] if versions else "VER_NDX_GLOBAL"
            if version in ("VER_NDX_LOCAL", "VER_NDX_GLOBAL"):
                unversioned.add(symbol.name)
    sets = (frozenset(names) for names in (needed, exported, unversioned, python))
    return Module(path, elf["e_machine"], *sets)


def _judge(module: Module, content: bytes, target: Target) -> None:
    """Refuses a module that would not load, or not everywhere."""
    name = module.path.rpartition("/")[2].partition(".")[0]
    if module.machine != MACHINES[target.machine]:
        raise WrongWheelError(f"{module.path}: is for {module.machine}")
    if module.exported != {f"PyInit_{name}"}:
        raise WrongWheelError(f"{module.path}: exports {sorted(module.exported)}")
    if module.unversioned:
        raise WrongWheelError(f"{module.path}: nobody has {sorted(module.unversioned)}")
    if strange := module.needed - LIBRARIES:
        raise WrongWheelError(f"{module.path}: needs {sorted(strange)}")
    # pybind11 keeps the version that it was compiled for, and compares it when it is imported.
    if f"\0{target.python}\0".encode() not in content:
        raise WrongWheelError(f"{module.path}: was not compiled for Python {target.python}")


def glibc_of(wheel: Path, machine: str) -> tuple[int, int]:
    """The oldest glibc that runs a wheel, by auditwheel's reading of its symbols' versions.

    Raises:
        WrongWheelError: No manylinux tag fits it.
    """
    found = analyze_wheel_abi(
        Libc.GLIBC,
        Architecture(machine),
        wheel.resolve(),
        frozenset(),
        disable_isa_ext_check=False,
        allow_graft=False,
    )
    match = re.fullmatch(rf"manylinux_(\d+)_(\d+)_{machine}", found.overall_policy.name)
    if match is None:
        raise WrongWheelError(f"{wheel.name}: auditwheel calls it {found.overall_policy.name}")
    return int(match[1]), int(match[2])


def platform_tags(measured: Measured) -> list[str]:
    """The tag that was measured, and the one that is promised.

    Raises:
        WrongWheelError: It needs a newer glibc than is promised.
    """
    if measured.glibc > FLOOR:
        raise WrongWheelError(f"needs glibc {_dotted(measured.glibc)}, not {_dotted(FLOOR)}")
    versions = sorted({measured.glibc, FLOOR})
    return [f"manylinux_{major}_{minor}_{measured.machine}" for major, minor in versions]


def check_claim(wheel: Path, glibc: tuple[int, int]) -> None:
    """Refuses a wheel whose name promises an older glibc than its symbols allow.

    Raises:
        WrongWheelError: It does; or its name has no manylinux tag.
    """
    for tag in parse_wheel_filename(wheel.name)[3]:
        match = re.match(r"manylinux_(\d+)_(\d+)_", tag.platform)
        if match is None:
            raise WrongWheelError(f"{wheel.name}: {tag.platform} is no manylinux tag")
        if (int(match[1]), int(match[2])) < glibc:
            raise WrongWheelError(
                f"{wheel.name}: claims {tag.platform}, and needs glibc {_dotted(glibc)}"
            )


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
