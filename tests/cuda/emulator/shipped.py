"""Kernels as they ship: PTX by NVRTC, translated to C++."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

from tests.cuda.emulator import host
from tests.cuda.emulator.build import (
    OF_HOPPER,
    ROOT,
    Unit,
    closure,
    emulator_units,
    library,
    remembered,
)
from tests.cuda.emulator.ptx.parse import parse
from tests.cuda.emulator.ptx.translate import source_of

ARCH, HOPPER = "compute_80", "compute_90"
# Levels above 1 take twice as long to build and run hardly faster.
FLAGS = ("-O1", "-w", "-fno-exceptions", "-fno-asynchronous-unwind-tables")
TRANSLATOR = Path(__file__).parent / "ptx"


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


compile_kernels = _load(ROOT / "cmake" / "compile_kernels.py")


def build(sources: Sequence[Path]) -> tuple[Path, dict[str, str]]:
    """A library of kernels, and the names of the kernels and their argument structs."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        texts = list(pool.map(ptx_of, sources))
        entries = {k: v for found in pool.map(host.entries_of, sources) for k, v in found.items()}
    return build_texts(texts), entries


def build_texts(texts: Sequence[str]) -> Path:
    """A library of the kernels of PTX files."""
    return library([*emulator_units(), *(unit for text in texts for unit in units_of(text))])


def units_of(text: str) -> list[Unit]:
    """A PTX file's kernels, one object file each: two compilers may work on one file."""

    def translate_to(target: Path) -> None:
        module = parse(text)
        target.write_text(json.dumps([(e.name, source_of(module, e)) for e in module.entries]))

    translator = [path.read_text() for path in sorted(TRANSLATOR.glob("*.py"))]
    path = remembered([text, *translator], "json", translate_to)
    return [Unit(f"{name}.ptx", source, FLAGS) for name, source in json.loads(path.read_text())]


def ptx_of(source: Path) -> str:
    """A file's PTX.

    Raises:
        RuntimeError: The compiler refused it, with its messages.
    """

    arch = HOPPER if source in OF_HOPPER else ARCH

    def compile_to(target: Path) -> None:
        compiler = compile_kernels.Compiler.find(compile_kernels.nvrtc_for(arch))
        target.write_bytes(compiler.compile(source, arch)[0])

    compiler_text = Path(str(compile_kernels.__file__)).read_text()
    made_of = [arch, compiler_text, *closure(source.read_text(), source.parent)]
    return remembered(made_of, "ptx", compile_to).read_text()
