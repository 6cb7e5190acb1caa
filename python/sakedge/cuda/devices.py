"""The devices of this machine, and what of this build runs on them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sakedge.cuda import images
from sakedge.cuda.images import Image
from sakedge.cuda.library import require_module
from sakedge.cuda.refusals import refusals
from sakedge.errors import DeviceError

NAME = "CUDA"
"""The first device; the others are `CUDA.1` and so on."""


@dataclass(frozen=True)
class DeviceInfo:
    """A device.

    Attributes:
        name: As its maker calls it.
        ordinal: Its number, from 0.
        capability: Its compute capability.
        multiprocessors: How many it has.
        memory: Bytes in all.
        integrated: Whether that is the host's memory, as on a Jetson.
        driver: The newest CUDA that the driver knows: 12060 is 12.6.
    """

    name: str
    ordinal: int
    capability: tuple[int, int]
    multiprocessors: int
    memory: int
    integrated: bool
    driver: int

    @property
    def architecture(self) -> str:
        """E.g. `sm_87`."""
        return f"sm_{self.capability[0]}{self.capability[1]}"

    def __str__(self) -> str:
        capability = ".".join(map(str, self.capability))
        kind = ", of the host" if self.integrated else ""
        return (
            f"{self.name}, compute capability {capability}, {self.multiprocessors} "
            f"multiprocessors, {self.memory / 2**30:.1f} GiB{kind}"
        )


@dataclass(frozen=True)
class Usable:
    """A device, and the image that runs on it."""

    info: DeviceInfo
    image: Image


def devices() -> tuple[DeviceInfo, ...]:
    """All devices that the driver shows; at least one. Opens the driver.

    Raises:
        DeviceError: There is no module, no driver, or no device.
    """
    require_module()
    from sakedge import _cuda

    with refusals("the CUDA devices", DeviceError):
        found = _cuda.devices()
    return tuple(
        DeviceInfo(
            each["name"],
            each["ordinal"],
            (each["major"], each["minor"]),
            each["multiprocessors"],
            each["memory"],
            each["integrated"],
            each["driver"],
        )
        for each in found
    )


def find(device: str | None) -> Usable:
    """A device by name, and the image that runs on it.

    Args:
        device: `CUDA`, `CUDA.1` …; None is the first.

    Raises:
        DeviceError: There is no such device, or it cannot be used: no module, no driver, a driver
            that is too old, no image for it.
    """
    matched = re.fullmatch(rf"{NAME}(?:\.(\d{{1,3}}))?", (device or NAME).upper())
    if matched is None:
        raise DeviceError(
            "no device of the backend cuda", expected=f"{NAME}, {NAME}.1 …, or None", got=device
        )
    found = {each.ordinal: each for each in devices()}
    info = found.get(int(matched[1] or 0))
    if info is None:
        raise DeviceError(
            f"there is no device {device}",
            expected=", ".join(f"{NAME}.{ordinal}" for ordinal in found),
            remedy="See what nvidia-smi lists, and what CUDA_VISIBLE_DEVICES leaves of it",
        )
    return usable(info)


def usable(info: DeviceInfo) -> Usable:
    """A device with the image that runs on it.

    Raises:
        DeviceError: None does.
    """
    return Usable(info, images.choose(images.images(), info.capability, info.driver))
