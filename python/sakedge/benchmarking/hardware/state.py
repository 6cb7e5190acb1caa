"""The machine at one moment: clocks, temperatures, and how often it was throttled."""

from __future__ import annotations

from pathlib import Path
from statistics import mean

from sakedge.benchmarking.hardware.device import load_average
from sakedge.benchmarking.hardware.sysfs import Gaps, number, numbered, text
from sakedge.benchmarking.record import Clocks, State

_CPUS = "sys/devices/system/cpu"
_HOT, _COLD = 150.0, -60.0
"""Degrees outside of which a sensor is not connected."""


def read_state(gaps: Gaps, root: Path = Path("/")) -> State:
    """Clocks, temperatures, throttling and load now.

    Args:
        gaps: Gets the reason of each reading that is missing.
        root: Where `sys` is.
    """
    clocks, heat = cpu_clocks(root), temperatures(root)
    throttled = throttle_events(root)
    if clocks is None:
        gaps.note("state.cpu_mhz", "no cpufreq: the kernel does not know the clocks")
    if not heat:
        gaps.note("state.temperatures_c", "no thermal zone and no hwmon sensor")
    if throttled is None:
        gaps.note("state.throttle_events", "no thermal_throttle counters")
    return State(
        cpu_mhz=clocks,
        temperatures_c=heat or None,
        throttle_events=throttled,
        load_average=load_average(gaps, "state.load_average"),
    )


def cpu_clocks(root: Path = Path("/")) -> Clocks | None:
    """Clocks of all processors now, MHz; None where the kernel does not know them."""
    cpus = list(numbered(root / _CPUS, "cpu[0-9]*"))
    now = [number(cpu / "cpufreq/scaling_cur_freq") for cpu in cpus]
    known = [each / 1000 for each in now if each is not None]
    if not known:
        return None
    limits = [number(cpu / "cpufreq/scaling_max_freq") for cpu in cpus]
    highest = [each / 1000 for each in limits if each is not None]
    return Clocks(
        mean=round(mean(known), 1),
        least=min(known),
        most=max(known),
        limit=max(highest, default=None),
    )


def temperatures(root: Path = Path("/")) -> dict[str, float]:
    """Degrees Celsius by the name of the thermal zone, then of the sensor."""
    found: dict[str, float] = {}
    for zone in numbered(root / "sys/class/thermal", "thermal_zone*"):
        _keep(found, text(zone / "type") or zone.name, number(zone / "temp"))
    for chip in numbered(root / "sys/class/hwmon", "hwmon*"):
        kind = text(chip / "name") or chip.name
        for sensor in numbered(chip, "temp*_input"):
            label = text(sensor.with_name(sensor.name.replace("_input", "_label")))
            _keep(found, f"{kind} {label}" if label else kind, number(sensor))
    return found


def throttle_events(root: Path = Path("/")) -> int | None:
    """How often any core was throttled for its heat since the system started; x86 only."""
    counters = [
        number(cpu / "thermal_throttle" / name)
        for cpu in numbered(root / _CPUS, "cpu[0-9]*")
        for name in ("core_throttle_count", "package_throttle_count")
    ]
    known = [each for each in counters if each is not None]
    return sum(known) if known else None


def _keep(found: dict[str, float], name: str, milli: int | None) -> None:
    """Sensors of one name are told apart by a number."""
    if milli is None or not _COLD < milli / 1000 < _HOT:
        return
    free, number_ = name[:60], 2
    while free in found:
        free, number_ = f"{name[:60]} {number_}", number_ + 1
    found[free] = milli / 1000
