"""What to set on a machine before it is measured, and what to write down if it is not."""

from __future__ import annotations

from sakedge.benchmarking.record import Device, PowerMode

_JETSON = (
    "sudo nvpmodel -q       # the power mode; -m N chooses the one that the line will use",
    "sudo jetson_clocks     # clocks at the mode's most, until the next boot",
)


def advice(device: Device, mode: PowerMode) -> list[str]:
    """Lines for a person; none where there is nothing to say."""
    found = []
    if device.jetson_release is not None or (device.board or "").find("Jetson") >= 0:
        found += [f"Jetson, power mode {mode.nvpmodel or 'not known'}. Before measuring:"]
        found += [f"  {line}" for line in _JETSON]
        found += ["Measure without jetson_clocks too if the line will run without it."]
    if mode.cpu_governor not in (None, "performance"):
        found.append(
            f"The governor is {mode.cpu_governor}: clocks rise only under load. For the most: "
            "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
        )
    if mode.platform_profile not in (None, "performance"):
        found.append(f"The platform profile is {mode.platform_profile}; the firmware has others.")
    if device.virtual:
        found.append("A virtual machine: its host decides about clocks, heat and neighbours.")
    found.append("Nothing else should run meanwhile: the record says how much it can have cost.")
    return found
