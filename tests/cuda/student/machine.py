"""The emulated device that tests of `sakedge._cuda` run on, in a process of their own.

A process has one driver, and one that has looked for it in vain does not look again. So tests that
are decorated with `on_device` run in another process than those that have no device.
"""

from __future__ import annotations

import functools
import gc
import importlib
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from tests.cuda.driver.driver import Driver
from tests.cuda.emulator import host
from tests.cuda.emulator.build import KERNELS, OF_HOPPER, ROOT

from sakedge import _cuda

PATH = "SAKEDGE_TEST_CUDA_PATH"
"""Which kernels: "host" or "ptx", as `--cuda-path`."""


def on_device(test: Callable[..., None]) -> Callable[..., None]:
    """Runs a test in the process that has the emulated device."""

    @functools.wraps(test)
    def run(**arguments: Any) -> None:
        _process().submit(_call, _module_of(test), test.__name__, arguments).result()

    return run


def _module_of(test: Callable[..., None]) -> str:
    """The name that another process imports it by; pytest's is shorter."""
    path = Path(test.__code__.co_filename).relative_to(ROOT)
    return ".".join(path.with_suffix("").parts)


@functools.cache
def _process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))


def _call(module: str, name: str, arguments: dict[str, Any]) -> None:
    getattr(importlib.import_module(module), name).__wrapped__(**arguments)
    gc.collect()  # what refers to itself would outlive the device
    found = emulated().findings()
    assert not found, found


@functools.cache
def emulated() -> Driver:
    """The driver, with all kernels, and with those of Hopper besides."""
    return Driver({image(): _library(), image(hopper=True): _library(hopper=True)})


def device(**settings: object) -> _cuda.Device:
    """The device, as after the start of a process, with these settings of `driver/settings.h`."""
    emulated().reset()
    emulated().set(**settings)
    return _cuda.Device(0, image(settings == HOPPER), {})


HOPPER = {"major": 9, "minor": 0, "shared": 227 * 1024}
"""Settings of a device that has products of warpgroups."""


def image(hopper: bool = False) -> bytes:
    """What stands for the kernels' PTX: the emulated driver knows it by its bytes."""
    target = b"sm_90a" if hopper else b"sm_80"
    return b"//\n.version 8.5\n.target " + target + b"\n// the kernels of sakedge\n\0"


@functools.cache
def _library(hopper: bool = False) -> Any:
    sources = [path for path in sorted(KERNELS.glob("*.cu")) if hopper or path not in OF_HOPPER]
    if os.environ.get(PATH, "host") == "host":
        return host.build(sources)[0]
    from tests.cuda.emulator import shipped

    return shipped.build(sources)[0]
