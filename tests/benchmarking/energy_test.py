"""Energy counters: run-overs, permissions, rails that are summed over time."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from tests.benchmarking.machines import ORIN, PC, plant

from sakedge.benchmarking.hardware.energy import Counter, EnergyMeter, Rail, whole
from sakedge.benchmarking.hardware.rails import rails
from sakedge.benchmarking.hardware.sysfs import Gaps

RAPL = "sys/class/powercap/intel-rapl:0"


def test_a_counter_that_runs_over_goes_on() -> None:
    values = iter([900_000, 999_000, 50_000, None, 60_000, 70_000])
    counter = Counter(lambda: next(values), range_uj=1_000_000)
    for moment in range(6):
        counter.look(float(moment))
    assert counter.joules == pytest.approx(0.099 + 0.051 + 0.01 + 0.01)


def test_a_counter_that_falls_without_a_range_counts_nothing() -> None:
    values = iter([900_000, 100_000, 200_000])
    counter = Counter(lambda: next(values))
    for moment in range(3):
        counter.look(float(moment))
    assert counter.joules == pytest.approx(0.1)


def test_a_rail_is_summed_by_trapezes() -> None:
    values = iter([10.0, 20.0, None, 40.0])
    rail = Rail(lambda: next(values))
    for moment in (0.0, 1.0, 2.0, 3.0):
        rail.look(moment)
    assert rail.joules == pytest.approx(15 + 60)


def test_rapl_is_the_package_and_its_memory_and_counts_nothing_twice(tmp_path: Path) -> None:
    root, gaps = plant(tmp_path, PC), Gaps()
    with EnergyMeter(gaps, root) as meter:
        plant(root, {f"{RAPL}/energy_uj": 7_000_000, f"{RAPL}:0/energy_uj": 1_250_000})
    assert meter.joules == {"package-0": pytest.approx(2.0), "package-0/dram": pytest.approx(0.25)}
    assert whole(meter.joules) == ("the processor and memory", ("package-0", "package-0/dram"))
    assert meter.total is not None and meter.total.joules == pytest.approx(2.25)
    assert gaps == {}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_counter_that_only_root_may_read_is_a_gap_by_name(tmp_path: Path) -> None:
    root, gaps = plant(tmp_path, PC), Gaps()
    for domain in (RAPL, f"{RAPL}:0"):
        (root / domain / "energy_uj").chmod(0)
    assert not EnergyMeter(gaps, root).joules
    assert "no permission" in gaps["energy"]


def test_a_counter_that_cannot_be_read_is_a_gap_by_name(tmp_path: Path) -> None:
    root, gaps = plant(tmp_path, PC | {f"{RAPL}/energy_uj": "", f"{RAPL}:0/energy_uj": "x"}), Gaps()
    assert not EnergyMeter(gaps, root).joules
    assert gaps["energy"] == "RAPL: energy_uj holds no number"


def test_the_rails_of_a_jetson_are_volts_times_amperes(tmp_path: Path) -> None:
    found = {name: read() for name, read in rails(plant(tmp_path, ORIN))}
    assert found == pytest.approx({"VDD_GPU_SOC": 3.8, "VDD_CPU_CV": 1.9, "VIN_SYS_5V0": 4.0})


def test_a_jetsons_energy_is_its_rails_over_time(tmp_path: Path) -> None:
    with EnergyMeter(Gaps(), plant(tmp_path, ORIN)) as meter:
        time.sleep(0.25)
    assert meter.total is not None and meter.total.covers == "the whole module"
    assert meter.total.watts == pytest.approx(9.7, rel=0.01)


@pytest.mark.parametrize(
    ("names", "covers"),
    [
        (("VIN", "VDD_GPU", "VDD_CPU_SOC_MSS"), "the whole board"),
        (("VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"), "the whole board"),
        (("package-0", "package-1", "gpu 0"), "the processor and GPU"),
        (("gpu 0",), "the GPU alone"),
        (("VDD_GPU", "VDD_OTHER"), None),
        ((), None),
    ],
)
def test_only_counters_that_are_known_to_add_up_are_added(
    names: tuple[str, ...], covers: str | None
) -> None:
    found = whole(dict.fromkeys(names, 1.0))
    assert (found and found[0]) == covers


def test_a_machine_without_counters_says_so(tmp_path: Path) -> None:
    gaps = Gaps()
    with EnergyMeter(gaps, tmp_path) as meter:
        pass
    assert meter.joules == {} and meter.total is None and "no counter" in gaps["energy"]
