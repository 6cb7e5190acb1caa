"""Which power mode was chosen: nvpmodel, platform profile, governor, preference, turbo."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from sakedge.benchmarking.hardware.sysfs import Gaps, numbered, text
from sakedge.benchmarking.record import PowerMode

_CPUS = "sys/devices/system/cpu"
_PATIENCE = 5
"""Seconds for `nvpmodel -q`."""
_ASKED = re.compile(r"NV Power Mode:\s*(\S[^\r\n]{0,60})")


def read_power_mode(gaps: Gaps, root: Path = Path("/")) -> PowerMode:
    """The settings that decide about clocks and watts.

    Args:
        gaps: Gets the reason of each reading that is missing.
        root: Where `sys` is.
    """
    cpus = root / _CPUS
    no_frequencies = f"no {_CPUS}/cpu*/cpufreq: the kernel does not set clocks here"
    policies = {
        "cpu_governor": _shared(cpus, "scaling_governor"),
        "cpu_driver": _shared(cpus, "scaling_driver"),
        "energy_performance_preference": _shared(cpus, "energy_performance_preference"),
    }
    for field, found in policies.items():
        if found is None:
            there = any(cpus.glob("cpu[0-9]*/cpufreq"))
            reason = "the CPU's frequency driver has none" if there else no_frequencies
            gaps.note(f"power_mode.{field}", reason)
    turbo = _turbo(cpus)
    if turbo is None:
        gaps.note("power_mode.turbo", "the system does not say")
    profile = text(root / "sys/firmware/acpi/platform_profile")
    if profile is None:
        gaps.note("power_mode.platform_profile", "the firmware offers none")
    return PowerMode(nvpmodel=_nvpmodel(gaps), platform_profile=profile, turbo=turbo, **policies)


def _shared(cpus: Path, name: str) -> str | None:
    """What all processors have under a name; several are joined."""
    found = [text(cpu / "cpufreq" / name) for cpu in numbered(cpus, "cpu[0-9]*")]
    return ", ".join(dict.fromkeys(each for each in found if each)) or None


def _turbo(cpus: Path) -> bool | None:
    no_turbo = text(cpus / "intel_pstate/no_turbo")
    if no_turbo in ("0", "1"):
        return no_turbo == "0"
    boost = text(cpus / "cpufreq/boost")
    return boost == "1" if boost in ("0", "1") else None


def _nvpmodel(gaps: Gaps) -> str | None:
    field = "power_mode.nvpmodel"
    tool = shutil.which("nvpmodel")
    if tool is None:
        gaps.note(field, "no nvpmodel: not a Jetson")
        return None
    try:
        asked = subprocess.run(
            [tool, "-q"], capture_output=True, text=True, timeout=_PATIENCE, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired):
        gaps.note(field, "nvpmodel -q did not answer")
        return None
    found = _ASKED.search(asked.stdout)
    if found is None:
        gaps.note(field, "nvpmodel -q named no mode; it may need root")
        return None
    return found[1].strip()
