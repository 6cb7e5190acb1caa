"""The tool that measures a box, and the page that is made of its records."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.benchmarking.machines import ORIN, PC, plant
from tests.benchmarking.records import drawn
from tools.bench_box.advice import advice
from tools.bench_box.table import write_table

from sakedge.benchmarking.hardware.device import read_device
from sakedge.benchmarking.hardware.power_mode import read_power_mode
from sakedge.benchmarking.hardware.sysfs import Gaps
from sakedge.errors import OptionError
from sakedge.text import to_json

ROOT = Path(__file__).parents[2]


def test_the_hardware_page_is_what_its_records_say(tmp_path: Path) -> None:
    page = tmp_path / "hardware.md"
    page.write_text((ROOT / "docs" / "hardware.md").read_text())
    assert write_table(ROOT / "docs" / "hardware", page) > 0
    assert page.read_text() == (ROOT / "docs" / "hardware.md").read_text()


def test_a_record_becomes_a_row_and_the_text_stays(tmp_path: Path) -> None:
    (tmp_path / "box-1").mkdir()
    for name, seed in (("part-int8", 1), ("part-fp32", 2)):
        (tmp_path / "box-1" / f"{name}.json").write_text(to_json(drawn(seed).to_dict()))
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- measured: speed -->\nold\n<!-- end -->\nafter\n")
    assert write_table(tmp_path, page) == 2
    lines = page.read_text().splitlines()
    assert (lines[0], lines[-1]) == ("before", "after") and "old" not in lines
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "box-1" in line]
    assert [row[:3] for row in rows] == [["box-1", "part", "fp32"]] * 2
    assert rows[0][5].endswith(" ms") and rows[0][9] == "no counter"


def test_a_block_that_no_table_fills_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- measured: abacus -->\n<!-- end -->\n")
    with pytest.raises(OptionError, match="abacus"):
        write_table(tmp_path, page)


def test_the_advice_is_the_machines(tmp_path: Path) -> None:
    told = {}
    for name, files in (("pc", PC), ("orin", ORIN)):
        root = plant(tmp_path / name, files)
        told[name] = "\n".join(advice(read_device(Gaps(), root), read_power_mode(Gaps(), root)))
    assert "jetson_clocks" in told["orin"] and "nvpmodel" in told["orin"]
    assert "governor is powersave" in told["pc"] and "jetson" not in told["pc"]
