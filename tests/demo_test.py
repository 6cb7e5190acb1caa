"""What ships in the wheel: the demo student and its samples, used as a newcomer would."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tools.demo_student.scenes import make_board_scene
from typer.testing import CliRunner

import sakedge
from sakedge import assets
from sakedge.checks import verify
from sakedge.cli.app import build
from sakedge.format import StudentFile
from sakedge.measuring.metrics import metric_for
from sakedge.runtime.precision import gainful


@pytest.fixture(scope="module")
def student() -> sakedge.Student:
    return sakedge.load(assets.demo_student())


def test_the_student_is_small_and_whole() -> None:
    assert assets.demo_student().stat().st_size <= 20e6
    with StudentFile.open(assets.demo_student()) as file:
        assert file.manifest.adapter_names == ("texture", "semantics", "geometry", "pcb")
        assert file.manifest.task_names == ("semseg", "edge", "sal", "normals", "depth")
        for name in file.manifest.components:
            file.component(name)  # checks digest and values


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_it_agrees_with_stock_onnx_runtime(precision: str) -> None:
    verification = verify.verify(assets.demo_student(), assets.samples(), precision=precision)
    assert verification.agrees, verification


def test_it_is_int8_and_records_that_every_task_passed_on_both_backends() -> None:
    with StudentFile.open(assets.demo_student()) as file:
        assert file.manifest.storage.has_int8
        entries = {entry.runtime.partition(" ")[0]: entry for entry in file.manifest.quality}
        assert set(entries) == {"onnxruntime", "openvino"}
        for entry in entries.values():
            assert entry.content == file.content_digest
            assert entry.passes(file.manifest.task_names)
            assert min(task.n for task in entry.tasks.values()) >= 300


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_what_runs_by_default_is_verified(backend: str) -> None:
    """On a CPU that gains by int8 that is int8, and elsewhere fp32 from the same weights."""
    with sakedge.load(assets.demo_student(), backend=backend) as student:
        result = student(assets.samples()[0])
        assert student.explain().precision == ("int8" if "int8" in gainful() else "fp32")
    assert result.quality == "verified"


def test_boards_are_handled_by_their_own_adapter_and_by_no_other() -> None:
    with sakedge.load(assets.demo_student(), precision="int8") as student:
        labels = student.manifest.tasks[0]
        metric = metric_for(labels)
        scenes = [make_board_scene(seed) for seed in range(920_000, 920_006)]

        def miou(adapters: list[str]) -> float:
            found = student([scene.image for scene in scenes], adapters=adapters)
            rows = [
                metric.measure(result["semseg"].values, scene.semseg)
                for result, scene in zip(found, scenes, strict=True)
            ]
            return float(metric.value(np.sum(rows, axis=0)))

        others = ["texture", "semantics", "geometry"]
        assert miou([*others, "pcb"]) > miou(others) + 20
        routed = student(scenes[0].image).routing["semseg"].mean()
        assert routed["pcb"] > 0.9
        assert student(assets.samples()[0]).routing["semseg"].mean()["pcb"] < 0.1


def test_the_demo_draws_every_task_over_every_sample(tmp_path: Path) -> None:
    out = CliRunner().invoke(build(), ["demo", "--output", str(tmp_path)])
    assert out.exit_code == 0, out.output
    assert str(tmp_path) in out.output.replace("\n", "")
    tasks = ("semseg", "edge", "sal", "normals", "depth")
    for sample in assets.samples():
        for name in (sample.stem, *(f"{sample.stem}_{task}" for task in tasks)):
            picture = np.asarray(Image.open(tmp_path / f"{name}.png"))
            assert picture.std() > 5, f"{name} is blank"


def test_it_sees_parts_and_defects_on_every_sample(student: sakedge.Student) -> None:
    labels = student.manifest.tasks[0].labels
    assert labels is not None
    for result in student(assets.samples()):
        found = result["semseg"].labels
        part = labels.index("part")
        assert 0.05 < (found >= part).mean() < 0.95, result.source
        assert (found > part).mean() > 0.001, f"no defect on {result.source}"
        # The two tasks were trained apart; where one finds a defect the other is fairly sure too.
        defect = result["sal"].probability
        assert defect[found > part].mean() > defect[found <= part].mean() + 0.3


def test_routing_differs_between_tasks_and_uses_the_adapters(student: sakedge.Student) -> None:
    result = student(assets.samples()[0])
    means = {task: result.routing[task].mean() for task in student.tasks}
    assert all(1 - mean["stem"] > 0.3 for mean in means.values())
    experts = np.array([list(mean.values()) for mean in means.values()])
    assert np.ptp(experts, axis=0).max() > 0.1
