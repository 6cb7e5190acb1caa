"""A CUDA driver for machines without a device: `libcuda.so.1` on the emulator of a block.

It does nothing before somebody waits for it, runs the nodes of a graph in any order that their
edges allow, keeps device memory from the host, and tells what a real driver may let pass: see
`settings.h` for the device that it shows and the faults that it can be given.
"""

from __future__ import annotations

from tests.cuda.driver.driver import Driver, build, environment

__all__ = ["Driver", "build", "environment"]
