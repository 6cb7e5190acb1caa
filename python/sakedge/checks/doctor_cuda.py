"""What the backend cuda can do on this machine, and precisely what it lacks."""

from __future__ import annotations

from collections.abc import Iterator

from sakedge.checks.findings import Finding, Status
from sakedge.cuda.backend import PRECISIONS
from sakedge.cuda.devices import NAME, DeviceInfo, devices, usable
from sakedge.cuda.images import images
from sakedge.cuda.library import require_module
from sakedge.errors import SakedgeError


def examine_cuda() -> Iterator[Finding]:
    """Looks for the module, its kernels, the driver and the devices, until something is missing."""
    topic = "backend cuda"
    try:
        require_module()
        found = images()
    except SakedgeError as error:
        yield _missing(topic, "note", error)
        return
    try:
        there = devices()
    except SakedgeError as error:
        yield _missing(topic, "note", error)
        return
    version = there[0].driver
    kernels = ", ".join(image.architecture for image in found)
    driver = f"the driver is for CUDA {version // 1000}.{version % 1000 // 10}"
    yield Finding(topic, "ok", f"{driver}; kernels for {kernels}; auto takes it where it is named")
    for info in there:
        yield _device(info)


def _device(info: DeviceInfo) -> Finding:
    topic = f"device {NAME}.{info.ordinal}"
    try:
        image = usable(info).image
    except SakedgeError as error:
        return _missing(topic, "warning", error, f"{info}: ")
    return Finding(topic, "ok", f"{info}: {', '.join(PRECISIONS)} with {image}")


def _missing(topic: str, status: Status, error: SakedgeError, before: str = "") -> Finding:
    parts = [error.problem]
    parts += [f"expected {error.expected}"] if error.expected else []
    parts += [f"got {error.got}"] if error.got else []
    return Finding(topic, status, before + "; ".join(parts), error.remedy)
