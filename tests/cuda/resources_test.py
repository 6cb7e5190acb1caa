"""What the compiler reports of every kernel, for every architecture that ships."""

from __future__ import annotations

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.cuda.emulator.build import KERNELS, OF_HOPPER, closure, remembered
from tests.cuda.emulator.shipped import compile_kernels, ptx_of

# One of each compiler; the others, of which each takes half a minute, with --cuda-long.
ARCHITECTURES = ["sm_87", "sm_120"]
OTHERS = ["sm_80", "sm_89", "sm_90", "sm_110"]
REGISTERS = 65536  # of a multiprocessor, on all of them; a thread is given a multiple of 8
Report = dict[str, dict[str, int]]


def compiled(source: Path, arch: str) -> Report:
    """What the compiler reports of a file's kernels."""
    compiler = compile_kernels.Compiler.find(compile_kernels.nvrtc_for(arch))

    def report_to(target: Path) -> None:
        target.write_text(json.dumps(compile_kernels.usage(compiler.compile(source, arch)[1])))

    compiler_text = Path(str(compile_kernels.__file__)).read_text()
    made_of = [arch, compiler.version, compiler_text, *closure(source.read_text(), source.parent)]
    report: Report = json.loads(remembered(made_of, "json", report_to).read_text())
    return report


@pytest.fixture(scope="module", params=[*ARCHITECTURES, *OTHERS])
def arch(request: pytest.FixtureRequest, long: bool) -> str:
    if request.param in OTHERS and not long:
        pytest.skip("takes half a minute: --cuda-long")
    return str(request.param)


@pytest.fixture(scope="module")
def sources(arch: str) -> list[Path]:
    return [p for p in sorted(KERNELS.glob("*.cu")) if p not in OF_HOPPER or arch == "sm_90"]


@pytest.fixture(scope="module")
def report(arch: str, sources: list[Path]) -> Report:
    try:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            reports = list(pool.map(lambda source: compiled(source, arch), sources))
    except FileNotFoundError as error:
        pytest.skip(str(error))
    return {name: usage for found in reports for name, usage in found.items()}


@pytest.fixture(scope="module")
def sizes(sources: list[Path]) -> dict[str, tuple[int, int]]:
    """Threads of a block of every kernel, and the blocks that must fit on a multiprocessor."""
    entry = re.compile(r"\.entry (\w+)\(.*?\.maxntid (\d+)[^{]*?\.minnctapersm (\d+)", re.DOTALL)
    found = [match for source in sources for match in entry.findall(ptx_of(source))]
    return {name: (int(threads), int(blocks)) for name, threads, blocks in found}


def test_report_is_of_all_kernels(report: Report, sizes: dict[str, tuple[int, int]]) -> None:
    assert report
    assert report.keys() == sizes.keys()
    assert all(usage["registers"] > 0 for usage in report.values())


@pytest.mark.parametrize("what", ["spills", "stack", "shared"])
def test_no_kernel_needs_local_or_static_shared_memory(report: Report, what: str) -> None:
    assert {name: usage[what] for name, usage in report.items() if usage[what]} == {}


def test_blocks_fit_the_registers_of_a_multiprocessor(
    report: Report, sizes: dict[str, tuple[int, int]]
) -> None:
    used = {
        name: -(-report[name]["registers"] // 8) * 8 * threads * blocks
        for name, (threads, blocks) in sizes.items()
    }
    assert {name: registers for name, registers in used.items() if registers > REGISTERS} == {}
