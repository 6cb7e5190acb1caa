"""The CUDA driver: its declarations against NVIDIA's, and its calls on the emulated driver."""

from __future__ import annotations

import os
import re
import shutil
import signal
import site
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cuda.driver.programs import names_of, run
from tests.support.cmake import ROOT

PROGRAM = "sakedge_cuda_driver_test"
# What each test needs of the device; see driver_test.cpp.
TESTS: dict[str, dict[str, object]] = {
    "what_is_no_driver_is_refused": {},
    "a_device_is_described": {
        "name": "Orin",
        "devices": 2,
        "multiprocessors": 16,
        "memory": 1 << 33,
        "shared": 166912,
        "integrated": 1,
    },
    "work_is_done": {},
    "a_copy_reads_late": {},
    "shared_memory_is_asked_for": {},
    "an_image_for_another_device_is_refused": {},
    "out_of_memory_leaves_everything_usable": {"memory": 1 << 20},
    "a_lost_device_stays_lost": {"lose_at": 2, "lose_with": 700},
    "mapped_memory_is_the_same_on_both_sides": {"integrated": 1},
    "pinned_blocks_are_lent_again": {},
    "a_small_pool_lends_to_few": {},
    "threads_share_a_pool": {},
    "events_tell_the_time": {},
    "threads_share_a_device": {},
}
# And those in which something is wrong, and what the emulated driver finds.
FAULTS = {
    "a_kernel_that_cannot_run_is_refused": "launch of stir: a grid of (0, 1, 1)",
    "a_stray_write_loses_the_device": "out of bounds",
    "memory_is_used_after_it_was_freed": "copy to of 32 bytes that are not, or no longer",
    "a_kernel_uses_freed_memory": "stir: ",
    "a_kernel_outlives_its_module": "a kernel that does not exist, or no longer, is used",
    "memory_is_freed_twice": "memory is freed that is not allocated, or no longer",
    "memory_is_never_freed": "left when the context was released, device memory #1 of 16 bytes",
    "a_copy_is_longer_than_its_memory": "copy to of 33 bytes that are not",
}
OTHERS = {"say_what_is_missing", "the_host_touches_device_memory"}


def test_every_test_of_the_program_is_run() -> None:
    assert names_of(PROGRAM) == TESTS.keys() | FAULTS.keys() | OTHERS


@pytest.mark.parametrize("test", TESTS)
def test_calls_of_the_driver(test: str) -> None:
    done = run(PROGRAM, test, **TESTS[test])
    assert done.status == 0, done.errors
    assert not done.findings


@pytest.mark.parametrize("test", FAULTS)
def test_the_emulated_driver_finds_faults(test: str) -> None:
    done = run(PROGRAM, test)
    assert done.status == 0, done.errors
    assert FAULTS[test] in done.findings


def test_the_host_cannot_touch_device_memory() -> None:
    assert run(PROGRAM, "the_host_touches_device_memory").status == -signal.SIGSEGV


def test_the_emulated_driver_serves_the_process_that_loads_it() -> None:
    script = """
import ctypes
from tests.cuda.driver import Driver

emulated = Driver({}, devices=3)
found = ctypes.CDLL("libcuda.so.1")
count = ctypes.c_int()
assert found.cuInit(0) == 0 and found.cuDeviceGetCount(ctypes.byref(count)) == 0
assert count.value == 3
emulated.set(devices=0)
assert found.cuInit(0) == 100
assert emulated.findings() == []
assert found.cuMemFree_v2(ctypes.c_uint64()) == 201
assert emulated.findings() == ["cuMemFree without a current context"]
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"devices": 0}, "cuInit failed with CUDA_ERROR_NO_DEVICE (emulated): see that nvidia-smi"),
        ({"version": 11080}, "too old: expected 12.0 or newer, got 11.8; install NVIDIA's driver"),
        ({"init": 999}, "no device starts: cuInit failed with error 999; see dmesg"),
        ({"init": 34}, "the toolkit's stub of the driver was found first"),
    ],
)
def test_what_is_missing_is_said(settings: dict[str, object], words: str) -> None:
    done = run(PROGRAM, "say_what_is_missing", **settings)
    assert done.status == 0, done.errors
    assert words in done.output


def _cuda_headers() -> list[Path]:
    """The folders of all cuda.h on this machine: of the wheels, and of the toolkit."""
    folders = [Path(p) / "nvidia" for p in [*site.getsitepackages(), *sys.path] if p]
    places = [f / sub for f in folders for sub in ("cuda_runtime/include", "cu13/include")]
    places += [Path(p) / "include" for p in (os.environ.get("CUDA_HOME"), "/usr/local/cuda") if p]
    return sorted({p.resolve() for p in places if (p / "cuda.h").exists()})


def _value_checks() -> str:
    """Assertions about every enumerator of api.h, for a file that has seen cuda.h alone."""
    api = (ROOT / "csrc" / "cuda" / "driver" / "api.h").read_text()
    values = re.findall(r"\b(CU(?:DA)?_\w+) = (\d+)", api)
    assert len(values) > 40
    checks = (f'static_assert(static_cast<int>({n}) == {v}, "{n}");' for n, v in values)
    return "#include <cuda.h>\n" + "\n".join(checks)


@pytest.mark.parametrize("what", ["values", "types"])
def test_declarations_are_those_of_cuda_h(tmp_path: Path, what: str) -> None:
    headers = _cuda_headers()
    compiler = shutil.which("g++") or shutil.which("clang++")
    if not headers or compiler is None:
        pytest.skip("there is no cuda.h: install nvidia-cuda-runtime-cu12==12.6.77, and g++")
    source = ROOT / "tests" / "cuda" / "driver" / "declarations.cpp"
    if what == "values":
        source = tmp_path / "values.cpp"
        source.write_text(_value_checks())
    for folder in headers:
        options = ["-std=c++20", "-fsyntax-only", f"-I{ROOT / 'csrc'}", "-isystem", str(folder)]
        done = subprocess.run([compiler, *options, str(source)], capture_output=True, text=True)
        assert done.returncode == 0, f"{folder}\n{done.stderr}"
