"""Power sensors of boards: a Jetson's INA3221 and INA238, ACPI power meters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from sakedge.benchmarking.hardware.sysfs import number, numbered, text

_UNUSED = {"NC"}
"""How Jetsons label a channel that is not connected."""
Watts = Callable[[], "float | None"]


def rails(root: Path = Path("/")) -> Iterator[tuple[str, Watts]]:
    """Every rail whose power can be read now, by its label.

    Args:
        root: Where `sys` is.
    """
    for chip in numbered(root / "sys/class/hwmon", "hwmon*"):
        kind = text(chip / "name") or ""
        if kind.startswith("ina"):
            yield from _monitor(chip)
        elif kind == "power_meter":
            for name in ("power1_average", "power1_input"):
                if number(chip / name) is not None:
                    yield kind, _power(chip / name)
                    break


def _monitor(chip: Path) -> Iterator[tuple[str, Watts]]:
    """A power monitor's channels: volts times amperes, or its own product."""
    for channel in range(1, 9):
        label = text(chip / f"in{channel}_label") or text(chip / f"power{channel}_label")
        if label is None and channel == 1:
            label = text(chip / "label")
        if not label or label in _UNUSED:
            continue
        power = chip / f"power{channel}_input"
        volts, amperes = chip / f"in{channel}_input", chip / f"curr{channel}_input"
        if number(power) is not None:
            yield label, _power(power)
        elif number(volts) is not None and number(amperes) is not None:
            yield label, _product(volts, amperes)


def _power(path: Path) -> Watts:
    def watts() -> float | None:
        microwatts = number(path)
        return None if microwatts is None else microwatts / 1e6

    return watts


def _product(volts: Path, amperes: Path) -> Watts:
    def watts() -> float | None:
        milli_volts, milli_amperes = number(volts), number(amperes)
        if milli_volts is None or milli_amperes is None:
            return None
        return milli_volts * milli_amperes / 1e6

    return watts
