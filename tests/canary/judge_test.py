"""Judging an adapter on golden images."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.canary.conftest import TASKS
from tests.support.canary import adapter, changed, having, noisy, runner

import sakedge
from sakedge.adapters.snapshot import Snapshot
from sakedge.canary.golden import Golden
from sakedge.canary.judge import judge
from sakedge.canary.report import Report
from sakedge.errors import AdapterRejectedError, DatasetError, ImageError, NumericError
from sakedge.measuring.data import subset
from sakedge.text import to_json


def _refused(student: sakedge.Student, golden: Golden, old: Snapshot, new: Snapshot) -> Report:
    with pytest.raises(AdapterRejectedError, match="nothing was changed") as error:
        judge(runner(student), student.manifest, golden, old, new)
    report: Report = error.value.report
    assert not report.passed
    return report


def test_a_better_adapter_is_accepted(
    student: sakedge.Student, golden: Golden, shipped: Snapshot, worse: Snapshot
) -> None:
    report = judge(runner(student), student.manifest, golden, worse, shipped)
    assert report.passed and report.exchanged == ("sam",)
    assert report.new == {"sam": shipped.adapters["sam"].id.digest} != report.old
    assert [*report.tasks] == [*TASKS]
    assert {each.verdict for each in report.tasks.values()} <= {"better", "as good"}
    assert report.tasks["defects"].value == pytest.approx(100)
    assert report.tasks["defects"].n == 24
    assert str(report).endswith("accepted")


def test_a_worse_one_is_refused_with_the_figures_and_nothing_changes(
    student: sakedge.Student, golden: Golden, shipped: Snapshot, worse: Snapshot
) -> None:
    before = student.adapters.snapshot()
    report = _refused(student, golden, shipped, worse)
    assert student.adapters.snapshot() is before
    assert report.tasks["defects"].verdict == "worse"
    assert "defects: mIoU 100 → " in " ".join(report.reasons)
    assert json.loads(to_json(report.to_dict()))["tasks"]["defects"]["verdict"] == "worse"
    assert str(report).endswith("refused")


def test_the_same_adapter_is_as_good(
    student: sakedge.Student, golden: Golden, shipped: Snapshot
) -> None:
    report = judge(runner(student), student.manifest, golden, shipped, shipped)
    assert report.exchanged == ()
    assert {each.verdict for each in report.tasks.values()} == {"as good"}


def test_what_the_images_leave_open_is_refused_and_says_how_many_would_show_it(
    student: sakedge.Student, tiny_student: Path, limited: Callable[..., Golden], shipped: Snapshot
) -> None:
    new = having(student, changed(adapter(tiny_student, "sam"), noisy(0.05)), "sam")
    measured = judge(runner(student), student.manifest, limited(max_drop=1.0), shipped, new)
    drop = measured.tasks["defects"].drop
    between = (drop.value + drop.high) / 2
    report = _refused(
        student,
        limited(max_drop=1.0, tasks={"defects": {"max_drop": between}}),
        shipped,
        new,
    )
    assert report.tasks["defects"].verdict == "not shown to be good"
    (reason,) = report.reasons
    found = re.search(r"; (\d+) such images would show it", reason)
    assert found is not None and int(found[1]) > 24


def test_a_task_that_is_declared_unchanged_must_agree(
    student: sakedge.Student, limited: Callable[..., Golden], shipped: Snapshot, worse: Snapshot
) -> None:
    """An improvement differs; that is a fault only of a task that was to stay."""
    may_change = limited(tasks={"defects": {"max_drop": 1.0}})
    assert judge(runner(student), student.manifest, may_change, worse, shipped).passed
    fixed = limited(tasks={"defects": {"unchanged": True, "max_disagreement": 0.001}})
    report = _refused(student, fixed, worse, shipped)
    assert report.tasks["defects"].verdict == "changed"
    assert "differs by" in report.tasks["defects"].told


def test_a_value_beyond_the_worst_is_refused_however_bad_the_old_one_is(
    student: sakedge.Student, limited: Callable[..., Golden], worse: Snapshot
) -> None:
    lower = limited(tasks={"defects": {"worst": 99.9}, "height": {"worst": 1e6}})
    assert _refused(student, lower, worse, worse).tasks["defects"].verdict == "beyond 99.9"
    upper = limited(tasks={"height": {"worst": 1e-6}})  # lower is better
    assert _refused(student, upper, worse, worse).tasks["height"].verdict == "beyond 1e-06"


def test_an_adapter_that_overflows_is_refused(
    student: sakedge.Student, tiny_student: Path, golden: Golden, shipped: Snapshot
) -> None:
    huge = changed(
        adapter(tiny_student, "sam"),
        lambda tensors: {key: np.full_like(each, 6e4) for key, each in tensors.items()},
    )
    report = _refused(student, golden, shipped, having(student, huge, "sam"))
    assert len(report.failed) == 24 and report.tasks == {}
    assert "24 images cannot be run with it" in report.reasons[0]


@pytest.mark.parametrize("error", [NumericError("it overflows"), ImageError("it is too large")])
def test_images_that_only_the_old_one_fails_at_are_left_out(
    student: sakedge.Student, golden: Golden, shipped: Snapshot, worse: Snapshot, error: Exception
) -> None:
    run, calls = runner(student), 0

    def fails_at_first(image: Any, snapshots: Sequence[Snapshot], tasks: Sequence[str]) -> Any:
        nonlocal calls
        calls += 1
        if calls <= 2 and snapshots[0] is worse:
            raise error
        return run(image, snapshots, tasks)

    report = judge(fails_at_first, student.manifest, golden, worse, shipped)
    assert report.unpaired == ("00",) and report.tasks["defects"].n == 23
    assert "left out, as the old one cannot run them: 1" in str(report)


def test_too_few_images_show_nothing(
    student: sakedge.Student, golden: Golden, shipped: Snapshot, worse: Snapshot
) -> None:
    few = Golden(golden.folder, subset(golden.data, range(15), "few"), golden.limits, "")
    report = _refused(student, few, worse, shipped)
    assert report.tasks["defects"].verdict == "too few images (15 of 16)"


def test_golden_images_of_no_loaded_task_are_refused(tiny_student: Path, golden: Golden) -> None:
    with sakedge.load(tiny_student, tasks="edge", precision="fp32", threads=1) as student:
        snapshot = student.adapters.snapshot()
        with pytest.raises(DatasetError, match="no task that is loaded"):
            judge(runner(student), student.manifest, golden, snapshot, snapshot)
