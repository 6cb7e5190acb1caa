"""What machines that are not here say of themselves, in folders as their kernels show them."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from tests.benchmarking.machines import CPU, ORIN, PC, plant

from sakedge.benchmarking.hardware.cpu_time import CpuTime, Usage, autogroup_niceness
from sakedge.benchmarking.hardware.device import read_device
from sakedge.benchmarking.hardware.power_mode import read_power_mode
from sakedge.benchmarking.hardware.state import read_state
from sakedge.benchmarking.hardware.sysfs import Gaps
from sakedge.benchmarking.hardware.tegrastats import Tegrastats, parse

# Lines as people have posted them of an AGX Orin with JetPack 6 and 7, a Thor, and a TX2.
ORIN_6 = (
    "10-05-2026 21:03:35 RAM 5137/62841MB (lfb 2x4MB) SWAP 0/31420MB (cached 0MB) "
    "CPU [1%@729,25%@729,off,2%@729] GR3D_FREQ 0% cpu@52.875C soc2@48.656C tj@52.875C "
    "VDD_GPU_SOC 3178mW/3178mW VDD_CPU_CV 794mW/794mW VIN_SYS_5V0 4543mW/4543mW"
)
ORIN_7 = (
    "07-25-2026 09:08:28 RAM 20642/62817MB (lfb 1x2MB) CPU [23%@2201,10%@2201] EMC_FREQ 3%@3199 "
    "GR3D_FREQ 12%@[1300,1300] NVENC0 off APE 174 cpu@52.968C/52.968C gpu@47.625C/47.625C "
    "VDD_GPU_SOC 5139mW/5139mW/5139mW VDD_CPU_CV 3268mW/3268mW/3268mW"
)
THOR = (
    "08-08-2026 20:58:23 RAM 3429/125749MB (lfb 120x4MB) CPU [0%,5%,off]@2601 EMC_FREQ @4266 "
    "GR3D_FREQ @[1574,1574,1574] cpu@49.75C/49.75C tj@51.218C/51.218C "
    "VDD_GPU -392mW/6330mW/6330mW VIN 28906mW/14453mW/28906mW"
)
TX2 = (
    "RAM 3276/7859MB (lfb 5x4MB) SWAP 1626/12122MB (cached 181MB) CPU [44%@1421,8%@1420] "
    "EMC_FREQ 1%@1866 GR3D_FREQ 0%@114 APE 150 PMIC@50C GPU@39.5C VDD_SYS_GPU 182/182 "
    "VDD_IN 5297/5297"
)


def test_a_pc_tells_its_board_mode_clocks_and_heat(tmp_path: Path) -> None:
    root, gaps = plant(tmp_path, PC), Gaps()
    device = read_device(gaps, root)
    assert (device.board, device.virtual) == ("Example Systems Box 12", False)
    mode = read_power_mode(gaps, root)
    assert (mode.cpu_governor, mode.platform_profile) == ("powersave", "performance")
    assert (mode.energy_performance_preference, mode.turbo) == ("balance_performance", False)
    state = read_state(gaps, root)
    assert state.cpu_mhz is not None
    clocks = (state.cpu_mhz.mean, state.cpu_mhz.least, state.cpu_mhz.most, state.cpu_mhz.limit)
    assert clocks == (2000, 1800, 2200, 3600)
    expected = {"x86_pkg_temp": 61.0, "acpitz": 27.8, "nvme Composite": 40.85}
    assert state.temperatures_c == expected
    assert (state.hottest_c, state.throttle_events) == (61.0, 6)
    assert set(gaps) == {"device.jetson_release", "power_mode.nvpmodel"}


def test_a_jetson_tells_its_board_and_release(tmp_path: Path) -> None:
    device = read_device(Gaps(), plant(tmp_path, ORIN))
    assert device.board == "NVIDIA Jetson AGX Orin Developer Kit"
    assert device.jetson_release == "R36.4.7"


def test_a_machine_that_says_nothing_has_a_reason_for_every_gap(tmp_path: Path) -> None:
    gaps = Gaps()
    device, mode = read_device(gaps, tmp_path), read_power_mode(gaps, tmp_path)
    state = read_state(gaps, tmp_path)
    assert device.board is device.virtual is device.jetson_release is None
    assert set(mode.model_dump().values()) == {None}
    assert state.cpu_mhz is state.temperatures_c is state.throttle_events is None
    named = {f"power_mode.{field}" for field in mode.model_dump()}
    assert set(gaps) >= named | {"device.board", "state.cpu_mhz", "state.temperatures_c"}


@pytest.mark.parametrize("content", ["", "12 apples", "\0", "9" * 40, "NaN", "0x10"])
def test_a_file_that_holds_no_number_is_a_gap(tmp_path: Path, content: str) -> None:
    plant(tmp_path, {f"{CPU}/cpu0/cpufreq/scaling_cur_freq": content})
    assert read_state(Gaps(), tmp_path).cpu_mhz is None


@pytest.mark.parametrize(
    "name", ["To be filled by O.E.M.", "Default string", "System Product Name"]
)
def test_a_placeholder_is_no_board(tmp_path: Path, name: str) -> None:
    root = plant(tmp_path, {"sys/class/dmi/id/product_name": name})
    assert read_device(Gaps(), root).board is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            ORIN_6,
            {"ram_mb": 5137, "cpu_percent": 28 / 3, "cpu_mhz": 729, "gpu_percent": 0}
            | {"cpu_c": 52.875, "soc2_c": 48.656, "tj_c": 52.875}
            | {"VDD_GPU_SOC_mw": 3178, "VDD_CPU_CV_mw": 794, "VIN_SYS_5V0_mw": 4543},
        ),
        (
            ORIN_7,
            {"ram_mb": 20642, "cpu_percent": 16.5, "cpu_mhz": 2201, "emc_percent": 3}
            | {"emc_mhz": 3199, "gpu_percent": 12, "gpu_mhz": 1300, "cpu_c": 52.968}
            | {"gpu_c": 47.625, "VDD_GPU_SOC_mw": 5139, "VDD_CPU_CV_mw": 3268},
        ),
        (
            THOR,
            {"ram_mb": 3429, "cpu_percent": 2.5, "cpu_mhz": 2601, "emc_mhz": 4266}
            | {"gpu_mhz": 1574, "cpu_c": 49.75, "tj_c": 51.218}
            | {"VDD_GPU_mw": -392, "VIN_mw": 28906},
        ),
        (
            TX2,
            {"ram_mb": 3276, "cpu_percent": 26, "cpu_mhz": 1420.5, "emc_percent": 1}
            | {"emc_mhz": 1866, "gpu_percent": 0, "gpu_mhz": 114, "PMIC_c": 50, "GPU_c": 39.5}
            | {"VDD_SYS_GPU_mw": 182, "VDD_IN_mw": 5297},
        ),
        ("", {}),
        ("tegrastats: not found", {}),
    ],
    ids=["orin-jetpack-6", "orin-jetpack-7", "thor", "tx2", "nothing", "error"],
)
def test_a_line_of_tegrastats_is_read(line: str, expected: dict[str, float]) -> None:
    assert parse(line) == pytest.approx(expected)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
def test_tegrastats_runs_while_the_block_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "tegrastats"
    tool.write_text(f"#!/bin/sh\necho '{ORIN_6}'\necho '{ORIN_7}'\nexec sleep 60\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    gaps = Gaps()
    with Tegrastats(gaps) as jetson:
        while len(jetson) < 2:
            time.sleep(0.01)
    found = jetson.summary()
    assert found is not None and gaps == {}
    assert found["VDD_GPU_SOC_mw"] == {"mean": 4158.5, "most": 5139}
    assert found["emc_mhz"] == {"mean": 3199, "most": 3199}


def test_nvpmodel_is_asked_for_the_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvpmodel"
    tool.write_text("#!/bin/sh\ntest \"$1\" = -q && printf 'NV Power Mode: MODE_30W\\n2\\n'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert read_power_mode(Gaps(), tmp_path).nvpmodel == "MODE_30W"


def test_others_are_everybody_but_this_process(tmp_path: Path) -> None:
    allowed = min(os.sched_getaffinity(0)) if sys.platform == "linux" else 0
    tick = os.sysconf("SC_CLK_TCK")

    def at(busy: int, own: float, waited: int, moment: float) -> CpuTime:
        counts = (
            f"cpu{allowed} {busy * tick} 0 0 900 7 0 0 0 0 0\ncpu99999 {9**9} 0 0 0 0 0 0 0 0 0"
        )
        root = plant(tmp_path, {"proc/stat": counts, "proc/self/task/1/schedstat": f"5 {waited} 2"})
        read = CpuTime.now(root)
        return CpuTime(moment, own, read.busy, read.waited)

    used = at(18, 3.0, 3_000_000_000, 10.0).since(at(10, 1.0, 1_000_000_000, 0.0))
    assert used == Usage(seconds=10.0, own=2.0, others=pytest.approx(0.6), waiting=0.2)
    assert used.delayed(processors=2) == 0.2


@pytest.mark.parametrize(
    ("usage", "processors", "delayed"),
    [
        (Usage(10, 5.0, 0.0, 0.0), 2, 0.0),
        (Usage(10, 5.0, 1.8, 1.9), 2, 0.75),  # a quarter of the time is needed by any means
        (Usage(10, 20.0, 0.3, None), 2, 0.0),
        (Usage(10, 5.0, None, 0.1), 2, 0.1),
        (Usage(10, 5.0, None, None), 2, None),
    ],
)
def test_what_others_can_have_cost_is_bounded(
    usage: Usage, processors: int, delayed: float | None
) -> None:
    assert usage.delayed(processors) == delayed


def test_the_priority_of_a_session_is_read(tmp_path: Path) -> None:
    plant(tmp_path, {"proc/self/autogroup": "/autogroup-52 nice -15"})
    assert autogroup_niceness(tmp_path) == -15
    assert autogroup_niceness(tmp_path / "elsewhere") is None
