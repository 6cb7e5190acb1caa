"""Fixtures of the CUDA tests."""

from __future__ import annotations

import pytest
from tests.cuda.device import Device, machine_of
from tests.cuda.emulator import Emulator


@pytest.fixture(scope="session")
def emulator(request: pytest.FixtureRequest) -> Emulator | Device:
    """All kernels on the emulator, by the path that `--cuda-path` names, or on the device."""
    return machine_of(request.config.getoption("--cuda-path"))


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether tests may take their time (`--cuda-long`)."""
    return bool(request.config.getoption("--cuda-long"))
