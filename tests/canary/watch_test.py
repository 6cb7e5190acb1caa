"""Watching an adapter that went live."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.canary import adapter, changed, having, noisy, runner

import sakedge
from sakedge.adapters.snapshot import Snapshot
from sakedge.canary.budget import Budget
from sakedge.canary.golden import Golden
from sakedge.canary.judge import Runner, judge
from sakedge.canary.report import Report
from sakedge.canary.watch import Seen, Watch
from sakedge.canary.watching import Watching
from sakedge.errors import OptionError
from sakedge.images import Picture, read

ALL = Watch(frames=24, every=1, budget=1.0)


class Line:
    """A student on a line: an adapter was exchanged, and images come."""

    def __init__(self, student: sakedge.Student, golden: Golden, old: Snapshot) -> None:
        self.student, self.golden, self.old = student, golden, old
        self.new = student.adapters.snapshot()
        self.report: Report = judge(runner(student), student.manifest, golden, old, self.new)
        self.undone: list[str] = []
        self.records: list[dict[str, Any]] = []
        self.begun: list[Watching] = []

    def watch(
        self,
        watch: Watch = ALL,
        *,
        run: Runner | None = None,
        undo: Callable[[str], object] | None = None,
        record: Callable[..., object] | None = None,
        report: Report | None = None,
        new: Snapshot | None = None,
    ) -> Watching:
        watching = Watching(
            watch,
            report or self.report,
            run or runner(self.student),
            self.student.manifest,
            self.old,
            new or self.new,
            undo=undo or self.undone.append,
            record=record or (lambda action, **kw: self.records.append({"action": action, **kw})),
        )
        self.live = new or self.new
        self.begun.append(watching)
        return watching

    def call(self, picture: Picture) -> sakedge.Result:
        """As the student answers after the exchange."""
        (result,) = runner(self.student)(picture, [self.live], self.student.tasks)
        return result

    def pictures(self, count: int = 24) -> Iterator[Picture]:
        return (self.golden.data[i % 24].image for i in range(count))

    def feed(self, watching: Watching, count: int = 24) -> Seen:
        """Each frame waits until the one before was looked at, so that none is dropped."""
        for i, picture in enumerate(self.pictures(count), 1):
            watching.observe(picture, self.call(picture))
            until(lambda i=i: watching.seen.frames >= i or watching.seen.state != "watching")
        return watching.wait(60)


def until(holds: Callable[[], bool]) -> None:
    for _ in range(3000):
        if holds():
            return
        time.sleep(0.01)
    pytest.fail("it did not come about")


@pytest.fixture
def line(student: sakedge.Student, golden: Golden, worse: Snapshot) -> Iterator[Line]:
    line = Line(student, golden, worse)
    yield line
    for each in line.begun:
        each.stop()
        each.wait()


def test_a_sound_adapter_is_kept_and_what_was_seen_is_told(line: Line) -> None:
    seen = line.feed(line.watch())
    assert (seen.state, seen.reason, seen.frames, seen.failed) == ("kept", "", 24, 0)
    assert 16 <= seen.shadows <= 24
    golden = line.report.tasks["defects"]
    assert golden.weights is not None
    assert seen.weights["defects"] == pytest.approx(golden.weights.mean, abs=1e-5)
    assert seen.differs["defects"].value == pytest.approx(golden.disagreement.value, abs=0.05)
    assert line.undone == []
    (record,) = line.records
    assert (record["action"], record["subject"], record["result"]) == ("watch", "sam", "done")
    assert record["new"] == line.new.adapters["sam"].id.digest


def test_output_unlike_that_on_golden_images_undoes_the_exchange_once(
    line: Line, tiny_student: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As weights that were damaged after they were judged would give it."""
    small = having(line.student, changed(adapter(tiny_student, "sam"), noisy(0.02)), "sam")
    line.old = small
    report = judge(runner(line.student), line.student.manifest, line.golden, small, line.new)
    broken = having(line.student, changed(adapter(tiny_student, "sam"), noisy(2.0)), "sam")
    with caplog.at_level(logging.ERROR, "sakedge"):
        seen = line.feed(line.watch(Watch(every=1, budget=1.0), report=report, new=broken), 60)
    assert seen.state == "undone" and 16 <= seen.shadows < 60
    assert line.undone == [seen.reason]
    assert "it differs from the old one by" in seen.reason and "on golden images by" in seen.reason
    assert line.records[0]["result"] == "failed"
    assert line.records[0]["detail"]["reason"] == seen.reason
    assert "the watch of adapter sam: undone" in caplog.text


def test_a_task_that_is_declared_unchanged_undoes_the_exchange_sooner(
    line: Line, limited: Callable[..., Golden], tiny_student: Path
) -> None:
    fixed = limited(tasks={"defects": {"unchanged": True, "max_disagreement": 1.0}})
    student = line.student
    report = judge(runner(student), student.manifest, fixed, line.old, line.new)
    limit = report.tasks["defects"].limit
    object.__setattr__(limit, "max_disagreement", 0.001)
    seen = line.feed(line.watch(report=report))
    assert seen.state == "undone" and "is declared unchanged" in seen.reason


def test_a_frame_that_only_the_new_adapter_cannot_run_undoes_the_exchange(
    line: Line, tiny_student: Path
) -> None:
    huge = changed(
        adapter(tiny_student, "sam"),
        lambda tensors: {key: np.full_like(each, 6e4) for key, each in tensors.items()},
    )
    watching = line.watch(new=having(line.student, huge, "sam"))
    picture = next(line.pictures())
    watching.observe(picture, line.student(picture))
    assert watching.wait(60).state == "undone"
    assert line.undone == ["a frame that the old adapter runs cannot be run with it"]


def test_an_image_that_neither_can_run_is_no_fault_of_the_adapter(line: Line) -> None:
    watching = line.watch()
    large = read(np.zeros((1000, 1000, 3), np.uint8))
    watching.observe(large, line.student(next(line.pictures())))
    until(lambda: watching.seen.frames == 1)
    assert watching.seen.state == "watching" and watching.seen.failed == 0


def test_calls_without_the_new_adapter_say_nothing_of_it(line: Line) -> None:
    watching = line.watch(Watch(frames=24, every=1000))
    for picture in line.pictures(20):
        watching.observe(picture, line.student(picture, adapters=["dino"]))
    picture = next(line.pictures())
    watching.observe(picture, line.student(picture))
    until(lambda: watching.seen.frames > 0)
    assert watching.seen.frames == 1 and watching.seen.state == "watching"
    for picture in line.pictures(3):
        watching.observe(picture, line.student(picture, adapters=["dino"]))
    assert watching.wait(60).state == "kept"  # they do count for the end of the window


def test_shadow_runs_keep_to_their_budget(line: Line) -> None:
    """Of a student that runs nothing else they would take all, so that one is all there is."""
    watching = line.watch(Watch(frames=500, every=1, budget=1e-6))
    result = line.student(next(line.pictures()))
    for picture in line.pictures(500):
        watching.observe(picture, result)
    seen = watching.wait(60)
    assert (seen.state, seen.frames) == ("kept", 500)
    assert seen.shadows == 1
    assert seen.reason == "after fewer than 16 shadow runs"


def test_a_budget_allows_more_work_as_the_process_does_more() -> None:
    def burn(seconds: float) -> None:
        end = time.process_time() + seconds
        while time.process_time() < end:
            pass

    budget = Budget(0.2)
    assert budget.allows()
    with budget.piece():
        burn(0.02)
    assert not budget.allows() and budget.spent > 0.2
    burn(0.3)
    assert budget.allows() and budget.spent < 0.2


def test_an_exchange_that_cannot_be_undone_is_told(line: Line, tiny_student: Path) -> None:
    def refuse(reason: str) -> None:
        raise RuntimeError("the disk is full")

    huge = changed(
        adapter(tiny_student, "sam"),
        lambda tensors: {key: np.full_like(each, 6e4) for key, each in tensors.items()},
    )
    watching = line.watch(new=having(line.student, huge, "sam"), undo=refuse)
    picture = next(line.pictures())
    watching.observe(picture, line.student(picture))
    seen = watching.wait(60)
    assert seen.state == "failed" and "could not be undone: the disk is full" in seen.reason


def test_a_log_that_cannot_be_written_does_not_change_what_was_decided(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no space left")

    seen = line.feed(line.watch(record=refuse))
    assert seen.state == "kept"
    assert "could not be recorded: no space left" in caplog.text


def test_a_watch_that_is_stopped_decides_nothing(line: Line) -> None:
    watching = line.watch()
    watching.stop("the adapter was exchanged again")
    seen = watching.wait(60)
    assert (seen.state, seen.reason) == ("stopped", "the adapter was exchanged again")
    picture = next(line.pictures())
    watching.observe(picture, line.student(picture))
    assert watching.seen is seen and line.undone == []


def test_the_end_of_the_student_ends_the_watch(line: Line, tiny_student: Path) -> None:
    student = sakedge.load(tiny_student, precision="fp32", threads=1)
    watching = line.watch(run=runner(student))
    picture = next(line.pictures())
    result = student(picture)
    student.close()
    watching.observe(picture, result)
    seen = watching.wait(60)
    assert (seen.state, seen.reason) == ("stopped", "the student was closed")


def test_a_watch_ends_by_time_too(line: Line) -> None:
    seen = line.watch(Watch(seconds=0.1)).wait(60)
    assert (seen.state, seen.frames) == ("kept", 0)


@pytest.mark.parametrize(
    "wrong",
    [{"frames": 0}, {"frames": 1.5}, {"seconds": 0}, {"every": 0}, {"budget": 0}, {"budget": 2}],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="out of range"):
        Watch(**wrong)
