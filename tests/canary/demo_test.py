"""The canary on the demo student: a trained student, rendered scenes, packs of every sort."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.support.canary import adapter, changed, having, lacking, noisy, random, runner, shuffled
from tools.demo_student.folder import write_scenes

import sakedge
from sakedge import assets
from sakedge.adapters.snapshot import Snapshot
from sakedge.canary.golden import Golden
from sakedge.canary.judge import judge
from sakedge.canary.report import Report
from sakedge.canary.watch import Watch
from sakedge.canary.watching import Watching
from sakedge.errors import AdapterRejectedError
from sakedge.format import PartPack

DEMO = assets.demo_student()


@dataclass
class Canary:
    """The demo student with its golden images: parts, and boards."""

    student: sakedge.Student
    parts: Golden
    boards: Golden

    def judge(self, golden: Golden, old: Snapshot, new: Snapshot) -> Report:
        try:
            return judge(runner(self.student), self.student.manifest, golden, old, new)
        except AdapterRejectedError as error:
            report: Report = error.report
            return report

    @property
    def shipped(self) -> Snapshot:
        return self.student.adapters.snapshot()


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canary]:
    folder = tmp_path_factory.mktemp("scenes")
    write_scenes(folder / "parts", 16)
    write_scenes(folder / "boards", 16, new=True)
    # Boundaries take longer to be measured than to be found.
    with sakedge.load(DEMO, tasks=["semseg", "normals", "depth"]) as student:
        parts = Golden.read(folder / "parts", student.manifest)
        boards = Golden.read(folder / "boards", student.manifest)
        yield Canary(student, parts, boards)


@pytest.mark.parametrize(
    "pack",
    [changed(adapter(DEMO, "pcb"), random), changed(adapter(DEMO, "pcb"), shuffled)],
    ids=["random weights", "shuffled blocks"],
)
def test_random_weights_and_shuffled_blocks_are_refused(canary: Canary, pack: PartPack) -> None:
    report = canary.judge(canary.boards, canary.shipped, having(canary.student, pack, "pcb"))
    assert not report.passed
    assert {each.verdict for each in report.tasks.values()} == {"worse"}, report


def test_another_teachers_adapter_is_refused(canary: Canary) -> None:
    pack = adapter(DEMO, "geometry")
    report = canary.judge(canary.boards, canary.shipped, having(canary.student, pack, "pcb"))
    assert not report.passed
    assert {each.verdict for each in report.tasks.values()} == {"worse"}, report


def test_a_genuinely_better_adapter_is_accepted(canary: Canary) -> None:
    """The trained one, in place of itself with as much noise in the weights as there is weight."""
    old = having(canary.student, changed(adapter(DEMO, "pcb"), noisy(1.0)), "pcb")
    report = canary.judge(canary.boards, old, canary.shipped)
    assert report.passed, report
    assert {each.verdict for each in report.tasks.values()} == {"better"}, report


def test_images_that_do_not_use_an_adapter_do_not_let_it_in(canary: Canary) -> None:
    """Of random weights nothing is seen on parts, for which the routers leave boards' out."""
    pack = changed(adapter(DEMO, "pcb"), random)
    report = canary.judge(canary.parts, canary.shipped, having(canary.student, pack, "pcb"))
    assert not report.passed
    (reason,) = (each for each in report.reasons if "pcb" in each)
    assert reason.startswith("the golden images do not use pcb: its mean weight is at most")


def test_live_images_unlike_the_golden_ones_undo_an_exchange(canary: Canary) -> None:
    """What was judged on boards has nothing to do on parts."""
    old = lacking(canary.student, "pcb")
    report = canary.judge(canary.boards, old, canary.shipped)
    reasons: list[str] = []
    watching = Watching(
        Watch(every=1000),
        report,
        runner(canary.student),
        canary.student.manifest,
        old,
        canary.shipped,
        undo=reasons.append,
        record=lambda *_, **__: None,
    )
    for i in range(16):
        picture = canary.parts.data[i].image
        watching.observe(picture, canary.student(picture, tasks=["semseg", "depth"]))
    assert watching.wait(60).state == "undone"
    (reason,) = reasons
    assert "semseg: its weight is 0.000, on golden images 1.000" in reason
