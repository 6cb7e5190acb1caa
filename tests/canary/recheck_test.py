"""Golden images again and again: the trend, its baseline, and the command."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.support.canary import adapter, changed, noisy, runner
from typer.testing import CliRunner, Result

import sakedge
from sakedge.adapters.snapshot import Snapshot
from sakedge.canary.golden import Golden
from sakedge.canary.recheck import recheck
from sakedge.canary.trend import MOST_POINTS, Point, Trend
from sakedge.cli.app import build
from sakedge.cli.durations import seconds_of
from sakedge.errors import FileFormatError, NumericError, OptionError
from sakedge.format import write_pack
from sakedge.store import Store


class Line:
    """What is active on a line, measured again and again."""

    def __init__(self, student: sakedge.Student, golden: Golden, folder: Path) -> None:
        self.student, self.golden, self.trend = student, golden, Trend(folder)
        self.records: list[Mapping[str, Any]] = []

    def measure(self, active: Snapshot, *, rebase: bool = False) -> Point:
        run, tasks = runner(self.student), self.golden.data.tasks
        return recheck(
            lambda picture: run(picture, [active], tasks)[0],
            self.student.manifest,
            self.golden,
            self.trend,
            student="0" * 64,
            adapters={part.name: part.digest for part in active.ids if part.kind == "adapter"},
            rebase=rebase,
            record=lambda action, **about: self.records.append({"action": action, **about}),
        )


@pytest.fixture
def line(student: sakedge.Student, golden: Golden, tmp_path: Path) -> Line:
    return Line(student, golden, tmp_path / "recheck")


def test_what_has_not_changed_has_not_dropped(line: Line, shipped: Snapshot) -> None:
    first, second = line.measure(shipped), line.measure(shipped)
    assert first.first and not second.first
    assert not first.alerts and not second.alerts
    assert {(t.drop, t.low, t.high) for t in second.tasks.values()} == {(0, 0, 0)}
    assert line.trend.points() == (first, second)
    assert [(each["action"], each["result"]) for each in line.records] == [("recheck", "done")] * 2


def test_what_got_worse_is_told(line: Line, shipped: Snapshot, worse: Snapshot) -> None:
    line.measure(shipped)
    point = line.measure(worse)
    assert point.tasks["defects"].verdict == "worse"
    assert any(each.startswith("defects: mIoU 100 → ") for each in point.alerts)
    assert line.records[-1]["result"] == "failed"
    assert line.measure(shipped).alerts == []  # the baseline is still the first
    assert line.measure(worse, rebase=True).alerts == []
    assert line.measure(worse).alerts == []


def test_images_that_cannot_be_run_are_told(line: Line, shipped: Snapshot) -> None:
    line.measure(shipped)
    run, calls = runner(line.student), 0

    def fails_once(picture: Any) -> sakedge.Result:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise NumericError("it overflows")
        return run(picture, [shipped], line.golden.data.tasks)[0]

    point = recheck(
        fails_once, line.student.manifest, line.golden, line.trend, student="", adapters={}
    )
    assert (point.images, point.failed) == (23, 1)
    assert point.alerts == ["1 images cannot be run (00: it overflows)"]


def test_a_baseline_that_is_lost_is_not_replaced_in_silence(line: Line, shipped: Snapshot) -> None:
    line.measure(shipped)
    for chunk in (line.trend.folder / "baseline").iterdir():
        chunk.write_bytes(b"damaged")
    with pytest.raises(FileFormatError, match=r"lost its baseline.*--rebase"):
        line.measure(shipped)
    assert line.measure(shipped, rebase=True).first


def test_the_trend_is_bounded(line: Line, shipped: Snapshot) -> None:
    line.measure(shipped)
    path = line.trend.folder / "trend.jsonl"
    path.write_bytes(path.read_bytes() * MOST_POINTS)
    line.trend.append(line.trend.points()[0])
    assert len(line.trend.points()) == MOST_POINTS


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(build(), ["recheck", *map(str, arguments)])


def test_the_command_ends_with_2_when_something_is_worse(
    tiny_student: Path, images: Path, limited: Callable[..., Golden], tmp_path: Path
) -> None:
    options = ["-o", tmp_path / "trend", "--precision", "fp32", "--threads", 1]
    found = _run(tiny_student, "--golden", images, *options)
    assert found.exit_code == 0, found.stderr
    assert "the baseline of those that follow" in found.stdout
    strict = limited(tasks={"defects": {"worst": 100.5}}).folder
    found = _run(tiny_student, "--golden", strict, *options, "--json")
    assert found.exit_code == 2
    assert json.loads(found.stdout)["tasks"]["defects"]["verdict"] == "beyond 100.5"
    shown = _run(tiny_student, *options, "--show")
    assert shown.exit_code == 0
    assert "2 measurements" in shown.stdout and "1 alert" in shown.stdout


def test_what_is_active_in_a_store_is_what_is_measured(
    tiny_student: Path, images: Path, tmp_path: Path
) -> None:
    pack = changed(adapter(tiny_student, "sam"), noisy(1.0))
    written = write_pack(tmp_path / "sam.safetensors", pack.manifest, pack.tensors)
    store = Store.create(tmp_path / "store")
    store.activate("sam", store.add(tmp_path / "sam.safetensors").digest)
    options = [tiny_student, "--golden", images, "-o", tmp_path / "trend", "--precision", "fp32"]
    assert _run(*options).exit_code == 0
    found = _run(*options, "--store", tmp_path / "store", "--json")
    assert found.exit_code == 2
    point = json.loads(found.stdout)
    assert point["adapters"]["sam"] == written.digest
    assert point["tasks"]["defects"]["verdict"] == "worse"


def test_the_command_refuses_what_it_cannot_do(tiny_student: Path, tmp_path: Path) -> None:
    assert "--golden" in _run(tiny_student).stderr
    found = _run(tiny_student, "--golden", tmp_path, "--every", "often")
    assert found.exit_code == 64 and "30m" in found.stderr


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), (" 6 h", 21600), ("0.5d", 43200)]
)
def test_times_are_read(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "6", "h", "0h", "-1h", "1w", "1h30m", "999999999d", "٣h"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="no time between measurements"):
        seconds_of(text)
