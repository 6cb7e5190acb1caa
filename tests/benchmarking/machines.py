"""Machines that are not here: folders as their kernels would show them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def plant(root: Path, files: Mapping[str, object]) -> Path:
    """Writes files below a root."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")
    return root


CPU = "sys/devices/system/cpu"
PC: dict[str, object] = {
    "proc/cpuinfo": "processor : 0\nflags\t\t: fpu avx2\n",
    "sys/class/dmi/id/sys_vendor": "Example Systems",
    "sys/class/dmi/id/product_name": "Box 12",
    "sys/firmware/acpi/platform_profile": "performance",
    f"{CPU}/intel_pstate/no_turbo": 1,
    **{
        f"{CPU}/cpu{i}/cpufreq/{name}": value
        for i in range(2)
        for name, value in {
            "scaling_governor": "powersave",
            "scaling_driver": "intel_pstate",
            "energy_performance_preference": "balance_performance",
            "scaling_cur_freq": 1_800_000 + 400_000 * i,
            "scaling_max_freq": 3_600_000,
        }.items()
    },
    **{f"{CPU}/cpu{i}/thermal_throttle/core_throttle_count": 3 for i in range(2)},
    "sys/class/thermal/thermal_zone0/type": "x86_pkg_temp",
    "sys/class/thermal/thermal_zone0/temp": 61000,
    "sys/class/thermal/thermal_zone1/type": "acpitz",
    "sys/class/thermal/thermal_zone1/temp": 27800,
    "sys/class/thermal/thermal_zone2/type": "INT3400 Thermal",
    "sys/class/thermal/thermal_zone2/temp": -274000,
    "sys/class/hwmon/hwmon0/name": "nvme",
    "sys/class/hwmon/hwmon0/temp1_input": 40850,
    "sys/class/hwmon/hwmon0/temp1_label": "Composite",
    "sys/class/powercap/intel-rapl:0/name": "package-0",
    "sys/class/powercap/intel-rapl:0/energy_uj": 5_000_000,
    "sys/class/powercap/intel-rapl:0/max_energy_range_uj": 262_143_328_850,
    "sys/class/powercap/intel-rapl:0:0/name": "dram",
    "sys/class/powercap/intel-rapl:0:0/energy_uj": 1_000_000,
    "sys/class/powercap/intel-rapl:0:0/max_energy_range_uj": 65_712_999_613,
    "sys/class/powercap/intel-rapl-mmio:0/name": "package-0",
    "sys/class/powercap/intel-rapl-mmio:0/energy_uj": 9_000_000,
}
"""An x86 PC: RAPL, two processors, three thermal zones of which one is not connected."""

ORIN: dict[str, object] = {
    "proc/cpuinfo": "processor\t: 0\nFeatures\t: fp asimd\n",
    "proc/device-tree/model": "NVIDIA Jetson AGX Orin Developer Kit\0",
    "etc/nv_tegra_release": "# R36 (release), REVISION: 4.7, GCID: 42132812, BOARD: generic",
    f"{CPU}/cpu0/cpufreq/scaling_governor": "schedutil",
    f"{CPU}/cpu0/cpufreq/scaling_cur_freq": 2_201_600,
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal",
    "sys/class/thermal/thermal_zone0/temp": 52875,
    "sys/class/hwmon/hwmon3/name": "ina3221",
    **{
        f"sys/class/hwmon/hwmon3/{name}": value
        for channel, (label, volts, amperes) in {
            1: ("VDD_GPU_SOC", 19_000, 200),
            2: ("VDD_CPU_CV", 19_000, 100),
            3: ("VIN_SYS_5V0", 5_000, 800),
        }.items()
        for name, value in {
            f"in{channel}_label": label,
            f"in{channel}_input": volts,
            f"curr{channel}_input": amperes,
        }.items()
    },
    "sys/class/hwmon/hwmon3/in4_label": "sum of shunt voltages",
    "sys/class/hwmon/hwmon4/name": "ina3221",
    "sys/class/hwmon/hwmon4/in1_label": "NC",
    "sys/class/hwmon/hwmon4/in1_input": 0,
    "sys/class/hwmon/hwmon4/curr1_input": 0,
}
"""A Jetson AGX Orin: three rails that make the module, one channel that is not connected."""
