"""The emulated driver in the place of a device, for rehearsals."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from tools.gpu_check.step import SkipError


def emulate() -> Any:
    """Makes the emulated driver that of this process; call it before anything looks for one.

    It shows a device for which there is no machine code, so that it is given PTX.

    Raises:
        SkipError: The CUDA module is not built here.
    """
    if find_spec("sakedge._cuda") is None:
        raise SkipError("sakedge._cuda is not built here")
    from tests.cuda.driver.driver import Driver
    from tests.cuda.emulator.build import KERNELS, OF_HOPPER
    from tests.cuda.emulator.shipped import build

    from sakedge.cuda import images

    ptx = next(each for each in images.images() if not each.is_machine_code)
    library, _ = build([path for path in sorted(KERNELS.glob("*.cu")) if path not in OF_HOPPER])
    return Driver({images.read(ptx): library}, name="Emulated device", major=10, minor=0)
