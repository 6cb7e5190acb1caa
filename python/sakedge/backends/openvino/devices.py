"""The devices that OpenVINO finds here, and the precisions that they support."""

from __future__ import annotations

from sakedge.backends.base import Support
from sakedge.backends.openvino.core import core, version
from sakedge.backends.runtimes import gist

DEVICES = ("CPU", "GPU", "NPU", "AUTO")
CAPABILITIES = {
    "fp32": ("FP32",),
    "bf16": ("BF16",),
    "fp16": ("FP16",),
    "int8": ("INT8", "FP32"),
}
"""Precision → what OpenVINO lists among a device's capabilities where it has it."""


def survey(device: str | None, precision: str) -> Support:
    """Says whether OpenVINO finds a device and supports a precision on it.

    Args:
        device: Its name in any case, e.g. `GPU` or `gpu.0`; None is the CPU.
        precision: E.g. `fp32`.
    """
    target = (device or "CPU").upper()
    if target.partition(".")[0] not in DEVICES:
        return Support(False, f"has no device {device}, only {', '.join(DEVICES)}")
    try:
        # Listing the devices loads the plugins of all of them; the CPU is always there.
        present = ["CPU"] if target == "CPU" else core().available_devices
    except Exception as error:  # a plugin whose driver is broken fails in any way
        return Support(False, f"cannot list devices: {gist(error)}")
    if target != "AUTO" and not any(_is_on(target, name) for name in present):
        return Support(
            False, f"finds no {target} here, only {', '.join(present)} (is its driver installed?)"
        )
    if precision not in CAPABILITIES:
        return Support(False, f"has no precision {precision}, only {', '.join(CAPABILITIES)}")
    try:
        able = capabilities(target)
        name = target if target == "AUTO" else core().get_property(target, "FULL_DEVICE_NAME")
    except Exception as error:
        return Support(False, f"cannot query {target}: {gist(error)}")
    if not set(CAPABILITIES[precision]) <= set(able):
        return Support(False, f"{name} does not support {precision}")
    return Support(True, f"OpenVINO {version()} on {name}")


def capabilities(device: str) -> list[str]:
    """A device's capabilities, e.g. `BF16` and `EXPORT_IMPORT`."""
    found: list[str] = core().get_property(device, "OPTIMIZATION_CAPABILITIES")
    return found


def identity(device: str) -> list[str]:
    """What distinguishes a device from another that would need another compiled graph."""
    devices = core().available_devices if device == "AUTO" else [device]
    names = ("FULL_DEVICE_NAME", "OPTIMIZATION_CAPABILITIES")
    return [str(core().get_property(each, name)) for each in devices for name in names]


def _is_on(target: str, name: str) -> bool:
    """Whether a device's name, e.g. `GPU.0`, is what was asked for, e.g. `GPU`."""
    return name == target or name.partition(".")[0] == target
