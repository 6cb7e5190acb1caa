"""Every kernel against its reference, by the same tests as on the emulator."""

from __future__ import annotations

from tools.gpu_check.pytests import ONLY_KERNELS, run_tests
from tools.gpu_check.step import Given


def run(given: Given) -> None:
    """tests/cuda, on the device or on the emulator."""
    run_tests(
        given, "kernels", ["tests/cuda", *ONLY_KERNELS, "--ignore=tests/cuda/conformance_test.py"]
    )
