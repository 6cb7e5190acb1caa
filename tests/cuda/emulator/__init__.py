"""A CUDA device for tests on machines that have none.

Runs the kernels of `csrc/cuda/kernels` in adversarial schedules, and checks every access to memory:
bounds, alignment, races.
"""

from __future__ import annotations

from tests.cuda.emulator.emulator import Emulator, Failure, Stats
from tests.cuda.emulator.floats import bfloat16, floats

__all__ = ["Emulator", "Failure", "Stats", "bfloat16", "floats"]
