"""Kernels as they ship: PTX by NVRTC, translated to C++."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

from tests.cuda.emulator import host
from tests.cuda.emulator.build import BUILT, ROOT, Unit, closure, emulator_units, library
from tests.cuda.emulator.ptx.parse import parse
from tests.cuda.emulator.ptx.translate import source_of

ARCH = "compute_80"
# Levels above 1 take twice as long to build and run hardly faster.
FLAGS = ("-O1", "-w", "-fno-exceptions", "-fno-asynchronous-unwind-tables")


def _compile_kernels() -> ModuleType:
    path = ROOT / "cmake" / "compile_kernels.py"
    spec = importlib.util.spec_from_file_location("compile_kernels", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # dataclasses look their module up.
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


compile_kernels = _compile_kernels()


def build(sources: Sequence[Path]) -> tuple[Path, dict[str, str]]:
    """A library of kernels, and the names of the kernels and their argument structs."""
    BUILT.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        texts = list(pool.map(ptx_of, sources))
        entries = {k: v for found in pool.map(host.entries_of, sources) for k, v in found.items()}
    return build_texts(texts), entries


def build_texts(texts: Sequence[str]) -> Path:
    """A library of the kernels of PTX files."""
    BUILT.mkdir(parents=True, exist_ok=True)
    return library([*emulator_units(), *(unit for text in texts for unit in units_of(text))])


def units_of(text: str) -> list[Unit]:
    """A PTX file's kernels, one object file each: two compilers may work on one file."""
    module = parse(text)
    return [Unit(f"{e.name}.ptx", source_of(module, e), FLAGS) for e in module.entries]


def ptx_of(source: Path) -> str:
    """A file's PTX, from the last time if nothing has changed since."""
    digest = hashlib.sha256(Path(compile_kernels.__file__ or "").read_bytes() + ARCH.encode())
    for text in closure(source.read_text(), source.parent):
        digest.update(text.encode())
    target = BUILT / f"{digest.hexdigest()[:24]}.ptx"
    if not target.exists():
        compiler = compile_kernels.Compiler.find(compile_kernels.nvrtc_for(ARCH))
        code, _ = compiler.compile(source, ARCH)
        part = target.with_suffix(f".{os.getpid()}.ptx")
        part.write_bytes(code)
        part.rename(target)
    return target.read_text()
