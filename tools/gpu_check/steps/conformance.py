"""Whether the device does what `csrc/cuda/device` promises, as the emulator does."""

from __future__ import annotations

from tools.gpu_check.pytests import run_tests
from tools.gpu_check.step import Given


def run(given: Given) -> None:
    """tests/cuda/conformance_test.py, on the device or on the emulator."""
    run_tests(given, "conformance", ["tests/cuda/conformance_test.py"])
