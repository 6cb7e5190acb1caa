"""Which machine it is: the board's and the CPU's name, and whether it is a virtual one."""

from __future__ import annotations

import os
import re
from pathlib import Path

from sakedge.benchmarking.hardware.sysfs import Gaps, text
from sakedge.benchmarking.record import Device, Processors
from sakedge.runtime import machine
from sakedge.runtime.threads import processors

_DMI = "sys/class/dmi/id"
_PLACEHOLDERS = re.compile(
    r"(to be filled by o\.?e\.?m\.?|default string|system (product name|manufacturer)|"
    r"not (applicable|specified)|none|n/a|unknown|o\.?e\.?m\.?)",
    re.IGNORECASE,
)


def read_device(gaps: Gaps, root: Path = Path("/")) -> Device:
    """The machine.

    Args:
        gaps: Gets the reason of each reading that is missing.
        root: Where `proc` and `sys` are.
    """
    usable = processors(root)
    about = machine.describe()
    board = _board(root)
    if board is None:
        gaps.note("device.board", "neither a device tree nor DMI names it")
    virtual = _is_virtual(root)
    if virtual is None:
        gaps.note("device.virtual", "the system does not say")
    if about["memory"] is None:
        gaps.note("device.memory_bytes", "the system does not say")
    jetson = _jetson(root)
    if jetson is None:
        gaps.note("device.jetson_release", "no /etc/nv_tegra_release: not a Jetson")
    return Device(
        board=board,
        cpu=about["cpu"],
        features=tuple(about["features"]),
        processors=Processors(
            machine=usable.machine,
            affinity=usable.affinity,
            quota=usable.quota,
            usable=usable.usable,
        ),
        virtual=virtual,
        memory_bytes=about["memory"],
        system=about["system"],
        jetson_release=jetson,
    )


def load_average(gaps: Gaps, field: str) -> float | None:
    """Processes that ran or wanted to, on average over the last minute."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        gaps.note(field, "the system does not say")
        return None


def _board(root: Path) -> str | None:
    """A Jetson's or another board's name in the device tree, or the PC's vendor and product."""
    for tree in ("proc/device-tree/model", "sys/firmware/devicetree/base/model"):
        name = text(root / tree)
        if name:
            return name
    parts = [text(root / _DMI / each) for each in ("sys_vendor", "product_name")]
    known = [each for each in parts if each and not _PLACEHOLDERS.fullmatch(each)]
    return " ".join(known) or None


def _is_virtual(root: Path) -> bool | None:
    """x86 says so in a CPU's flags; elsewhere a hypervisor may have a folder of its own."""
    info = text(root / "proc/cpuinfo")
    if info is None:
        return None
    flags = re.search(r"^flags\s*:(.*)$", info, re.MULTILINE)
    if flags is not None:
        return "hypervisor" in flags[1].split()
    return True if text(root / "sys/hypervisor/type") else None


def _jetson(root: Path) -> str | None:
    """The release of Jetson Linux, e.g. `R36.4.7`."""
    release = text(root / "etc/nv_tegra_release") or ""
    found = re.search(r"R([0-9]+) \(release\), REVISION: ([0-9.]+)", release)
    return f"R{found[1]}.{found[2]}" if found else None
