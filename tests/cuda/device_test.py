"""Launches on a device, of which the emulated driver takes the place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.cuda.driver.driver import environment
from tests.cuda.emulator.shipped import build, ptx_of

ROOT = Path(__file__).parents[2]
CONFORMANCE = Path(__file__).with_name("conformance.cu")
ARCH = "compute_80"  # machine code takes a device


@pytest.fixture(scope="module")
def driver() -> dict[str, str]:
    """What gives another process the emulated driver and the kernels of conformance.cu."""
    library, _ = build([CONFORMANCE])
    emulated = environment({ptx_of(CONFORMANCE).encode(): library})
    return {**os.environ, **emulated, "CUDA_TEST_ARCH": ARCH, "PYTHONPATH": str(ROOT)}


def test_tests_run_on_a_device_as_they_do_on_the_emulator(driver: dict[str, str]) -> None:
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("--cuda-path", "device", "tests/cuda/conformance_test.py"),
        ],
        cwd=ROOT,
        env=driver,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout
    assert "8 passed" in ran.stdout


def launched(driver: dict[str, str], code: str) -> str:
    """What a process says that has a device and arrays `given`, `early` and `late`."""
    program = f"""
import numpy as np
from pathlib import Path
from tests.cuda.device import Device
device = Device([Path({str(CONFORMANCE)!r})], {ARCH!r})
memory = np.arange(1, 1 + 3 * 32 * 4, dtype=np.uint32)
given = memory[:256].reshape(2, 32, 4)
early, late = np.zeros((2, 32, 4), np.uint32)
def launch(**args):
    args = {{"in": given, "early": early, "late": late, **args}}
    device.launch("conform_copies", grid=(1,), shared=1024, args=args)
{code}
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=driver, capture_output=True, text=True
    )
    return ran.stdout + ran.stderr


def test_views_of_one_array_stay_together(driver: dict[str, str]) -> None:
    """As r is updated in place, a kernel may be given the same memory twice."""
    said = launched(
        driver, "launch(late=memory[256:].reshape(32, 4)); print(memory[256:].tolist())"
    )
    given = np.arange(129, 257).reshape(32, 4)
    expected = np.where(np.arange(32)[:, None] % 2 == 0, given, 0)[np.arange(32) ^ 1]
    assert said.strip() == str(expected.ravel().tolist())


def test_what_is_written_beside_an_array_is_found(driver: dict[str, str]) -> None:
    said = launched(driver, "launch(early=early[:31])")
    assert "DeviceError: written beside early, 496 bytes" in said


def test_what_is_written_to_a_read_only_array_is_found(driver: dict[str, str]) -> None:
    said = launched(driver, "early.flags.writeable = False\nlaunch()")
    assert "DeviceError: early was written to, which is only to be read" in said


def test_an_unknown_kernel_and_a_launch_that_fails_are_named(driver: dict[str, str]) -> None:
    assert "no kernel 'nothing'; there are conform_copies" in launched(
        driver, "device.launch('nothing', grid=(1,), args={})"
    )
    said = launched(driver, "device.launch('conform_copies', grid=(0,), args={})")
    assert "cuLaunchKernel failed: CUDA_ERROR_INVALID_VALUE" in said
