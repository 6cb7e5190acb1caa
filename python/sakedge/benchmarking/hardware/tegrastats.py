"""tegrastats, which Jetsons have: a line every period, whose shape differs between releases."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Mapping
from types import TracebackType

from sakedge.benchmarking.hardware.sysfs import Gaps

_PERIOD = 500
"""Milliseconds between two lines."""
_PATIENCE = 5.0
"""Seconds for it to end."""
_MOST = 100_000
"""Lines kept of one reading."""

_RAM = re.compile(r"\bRAM ([0-9]+)/[0-9]+MB")
_CPU = re.compile(r"\bCPU \[([^\]]*)\](?:@([0-9]+))?")
_CORE = re.compile(r"([0-9]+)%(?:@([0-9]+))?")
_EMC = re.compile(r"\bEMC_FREQ (?:([0-9]+)%)?(?:@([0-9]+))?")
_GPU = re.compile(r"\bGR3D_FREQ (?:([0-9]+)%)?(?:@\[?([0-9off, ]+)\]?)?")
_HEAT = re.compile(r"(?<!\S)([A-Za-z][\w-]*)@(-?[0-9]+(?:\.[0-9]+)?)C")
_RAIL = re.compile(r"(?<!\S)([A-Z][A-Z0-9_]*) (-?[0-9]+)(?:mW)?/-?[0-9]+(?:mW)?(?![0-9]|MB|kB)")


def parse(line: str) -> dict[str, float]:
    """The readings of one line, each with its unit in its name; what is not there is left out.

    Known are the shapes of JetPack 4 to 7: rails with and without `mW`, with two figures or three;
    a GPU's clock alone or of each cluster; cores that are off.
    """
    found: dict[str, float] = {}
    if ram := _RAM.search(line):
        found["ram_mb"] = float(ram[1])
    if cpu := _CPU.search(line):
        cores = _CORE.findall(cpu[1])
        if cores:
            found["cpu_percent"] = sum(float(load) for load, _ in cores) / len(cores)
        clocks = [float(clock) for _, clock in cores if clock] or [
            float(c) for c in cpu.groups()[1:] if c
        ]
        if clocks:
            found["cpu_mhz"] = sum(clocks) / len(clocks)
    for name, pattern in (("emc", _EMC), ("gpu", _GPU)):
        if load := pattern.search(line):
            if load[1]:
                found[f"{name}_percent"] = float(load[1])
            clocks = [float(each) for each in re.findall(r"[0-9]+", load[2] or "")]
            if clocks:
                found[f"{name}_mhz"] = max(clocks)
    found |= {f"{zone}_c": float(degrees) for zone, degrees in _HEAT.findall(line)}
    found |= {f"{rail}_mw": float(power) for rail, power in _RAIL.findall(line)}
    return found


class Tegrastats:
    """Runs it while a block runs, where it exists.

    Args:
        gaps: Gets the reason if it does not.
    """

    def __init__(self, gaps: Gaps) -> None:
        self._gaps = gaps
        self._lines: list[dict[str, float]] = []
        self._process: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Tegrastats:
        tool = shutil.which("tegrastats")
        if tool is None:
            self._gaps.note("tegrastats", "there is no tegrastats: not a Jetson")
            return self
        try:
            self._process = subprocess.Popen(
                [tool, "--interval", str(_PERIOD)],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                errors="replace",
            )
        except OSError as error:
            self._gaps.note("tegrastats", f"it does not start: {error.strerror or error}")
            return self
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is None or self._thread is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join()
        if not self._lines:
            self._gaps.note("tegrastats", "it printed nothing that could be read")

    def __len__(self) -> int:
        """Lines that were read."""
        return len(self._lines)

    def summary(self) -> Mapping[str, Mapping[str, float]] | None:
        """Of each reading the mean and the most; None without any."""
        if not self._lines:
            return None
        names = dict.fromkeys(name for line in self._lines for name in line)
        columns = {name: [line[name] for line in self._lines if name in line] for name in names}
        return {
            name: {"mean": round(sum(each) / len(each), 2), "most": max(each)}
            for name, each in columns.items()
        }

    def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                found = parse(line)
                if found and len(self._lines) < _MOST:
                    self._lines.append(found)
