"""Energy counters: RAPL's of the processor, and power rails that are summed over time.

A counter that runs over starts from zero, so it is looked at more often than it can. Rails give
watts at a moment; joules are their integral, sampled.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from sakedge.benchmarking.hardware.nvml import gpu_counters
from sakedge.benchmarking.hardware.rails import rails
from sakedge.benchmarking.hardware.sysfs import Gaps, number, numbered, refusal, text

_PERIOD = 0.1
"""Seconds between two looks: far less than the shortest run-over (a minute at full power)."""
_POWERCAP = "sys/class/powercap"
_JOULE = 1e6
"""Microjoules."""


@dataclass
class Counter:
    """A counter of microjoules that starts from zero after `range_uj`.

    Attributes:
        read: The counter now; None if it cannot be read any more.
        range_uj: Where it runs over; None if it never does.
    """

    read: Callable[[], int | None]
    range_uj: int | None = None
    joules: float = 0.0
    _last: int | None = field(default=None, init=False)

    def look(self, now: float) -> None:
        """Adds what was used since the last look."""
        del now
        value = self.read()
        if value is None:
            return
        if self._last is not None:
            step = value - self._last
            if step < 0 and self.range_uj is not None:
                step += self.range_uj
            self.joules += max(step, 0) / _JOULE
        self._last = value


@dataclass
class Rail:
    """Watts now, summed over time.

    Attributes:
        read: Watts now; None if they cannot be read.
    """

    read: Callable[[], float | None]
    joules: float = 0.0
    _last: tuple[float, float] | None = field(default=None, init=False)

    def look(self, now: float) -> None:
        """Adds the energy since the last look."""
        watts = self.read()
        if watts is None:
            return
        if self._last is not None:
            then, before = self._last
            self.joules += (now - then) * (watts + before) / 2
        self._last = now, watts


@dataclass(frozen=True)
class Total:
    """Joules and watts of all counters that add up, and what those cover."""

    covers: str
    joules: float
    watts: float


class EnergyMeter:
    """Joules by counter while a block runs.

    Args:
        gaps: Gets the reason if there is no counter.
        root: Where `sys` is.
    """

    def __init__(self, gaps: Gaps, root: Path = Path("/")) -> None:
        self._sources: dict[str, Counter | Rail] = dict(_rapl(gaps, root))
        self._sources |= {name: Rail(read) for name, read in rails(root)}
        self._sources |= {
            name: Counter(read) for name, read in (gpu_counters(gaps) if root == Path("/") else ())
        }
        if not self._sources:
            gaps.note("energy", f"no counter in /{_POWERCAP} and no power sensor in hwmon")
        self._done = threading.Event()
        self._thread: threading.Thread | None = None
        self._begun = self.seconds = 0.0

    def __enter__(self) -> EnergyMeter:
        self._begun = self._look()
        if self._sources:
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        if self._thread is not None:
            self._thread.join()
        self._look()

    @property
    def joules(self) -> Mapping[str, float]:
        """By counter, so far."""
        return {name: each.joules for name, each in self._sources.items()}

    @property
    def total(self) -> Total | None:
        """Of the counters that are known to add up; None without any."""
        joules = self.joules
        covered = whole(joules)
        if covered is None or self.seconds <= 0:
            return None
        covers, names = covered
        used = sum(joules[name] for name in names)
        return Total(covers, used, used / self.seconds)

    def _watch(self) -> None:
        while not self._done.wait(_PERIOD):
            self._look()

    def _look(self) -> float:
        now = time.monotonic()
        for each in self._sources.values():
            each.look(now)
        self.seconds = now - self._begun
        return now


def whole(names: Mapping[str, float]) -> tuple[str, tuple[str, ...]] | None:
    """Which counters together are the machine, and what they cover; None if that is not known.

    The rails of a Jetson overlap: which of them add up is in NVIDIA's developer guide.
    """
    for board in ("VIN", "VDD_IN", "POM_5V_IN", "power_meter", "psys"):
        if board in names:
            return "the whole board", (board,)
    agx = ("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0")
    if set(agx) <= set(names):
        return "the whole module", agx
    packages = [n for n in names if n.startswith("package-") and "/" not in n]
    memory = [n for n in names if n.split("/")[-1] == "dram"]
    gpus = [n for n in names if n.startswith("gpu ")]
    if not packages:
        return ("the GPU alone", tuple(gpus)) if gpus else None
    parts = ["the processor", *(["memory"] if memory else []), *(["GPU"] if gpus else [])]
    return " and ".join(parts), (*packages, *memory, *gpus)


def _rapl(gaps: Gaps, root: Path) -> Iterator[tuple[str, Counter]]:
    """RAPL's domains by name; `intel-rapl-mmio` counts the same again and is left out."""
    for zone in numbered(root / _POWERCAP, "intel-rapl:*"):
        name = text(zone / "name") or zone.name
        if zone.name.count(":") > 1:
            above = text(zone.parent / zone.name.rpartition(":")[0] / "name")
            name = f"{above or zone.name}/{name}"
        path = zone / "energy_uj"
        if number(path) is None:
            gaps.note("energy", f"RAPL: {refusal(path)}")
            continue
        yield name, Counter(_reader(path), number(zone / "max_energy_range_uj"))


def _reader(path: Path) -> Callable[[], int | None]:
    return lambda: number(path)
