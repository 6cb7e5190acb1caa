"""A student that plain quantisation ruins, as it does large vision transformers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.outliers import plant
from tools.demo_student.scenes import Scene, make_scene

import sakedge
from sakedge.assets import demo_student
from sakedge.errors import QualityError

TASKS = ("semseg", "depth")
UNSMOOTHABLE = (3,)
CALIBRATION, JUDGED = 8, 32


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [make_scene(910_000 + i) for i in range(CALIBRATION + JUDGED)]


@pytest.fixture(scope="module")
def calibration(scenes: list[Scene]) -> list[np.ndarray]:
    return [scene.image for scene in scenes[:CALIBRATION]]


@pytest.fixture(scope="module")
def data(scenes: list[Scene], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A labelled data set; of depth, which is judged by agreement, it has no labels."""
    folder = tmp_path_factory.mktemp("scenes")
    for part in ("images", "semseg"):
        (folder / part).mkdir()
    for i, scene in enumerate(scenes[CALIBRATION:]):
        Image.fromarray(scene.image).save(folder / "images" / f"{i:02d}.png")
        Image.fromarray(scene.semseg).save(folder / "semseg" / f"{i:02d}.png")
    return folder


@pytest.fixture(scope="module")
def planted(calibration: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo student with outliers, some of which no smoothing can move."""
    target = tmp_path_factory.mktemp("planted") / "student.onnx"
    return plant(demo_student(), target, calibration, tasks=TASKS, unsmoothable=UNSMOOTHABLE)


def test_planting_changes_nothing_at_fp32(
    planted: Path, calibration: list[np.ndarray], tmp_path: Path
) -> None:
    compensated = plant(demo_student(), tmp_path / "student.onnx", calibration, tasks=TASKS)
    students = [
        sakedge.load(path, tasks=TASKS, precision="fp32", threads=1)
        for path in (demo_student(), compensated, planted)
    ]
    for image in calibration[:3]:
        exact, same, near = (student(image, logits=True) for student in students)
        for task in TASKS:
            logits = exact[task].logits
            assert logits is not None
            for found, most in ((same, 1e-4), (near, 2e-2)):
                assert np.abs(found[task].logits - logits).max() < most * np.ptp(logits)


def test_plain_quantisation_fails_at_the_gate(
    planted: Path, calibration: list[np.ndarray], data: Path, tmp_path: Path
) -> None:
    target = tmp_path / "student.int8.onnx"
    with pytest.raises(QualityError, match="loses too much") as error:
        sakedge.quantize(
            *(planted, calibration, target),
            evaluation=data,
            smooth=False,
            search=False,
            backends="onnxruntime",
        )
    (verdicts,) = error.value.verdicts.values()
    labelled = {task: verdict.labelled for task, verdict in verdicts.items()}
    assert labelled == {"semseg": True, "depth": False}
    assert all(not verdict.passed for verdict in verdicts.values())
    assert verdicts["semseg"].reference > 50
    assert verdicts["semseg"].value < 20
    assert not target.exists()


def test_smoothing_and_then_floats_where_it_cannot_help_pass_the_gate(
    planted: Path, calibration: list[np.ndarray], data: Path, tmp_path: Path
) -> None:
    made = sakedge.quantize(
        *(planted, calibration, tmp_path / "student.int8.onnx"),
        evaluation=data,
        backends="onnxruntime",
    )
    assert made.smoothed > 30
    assert {*made.kept.floats} == {f"stem.blocks.{i}.mlp.fc2" for i in UNSMOOTHABLE}
    assert made.share > 0.9
    assert made.kept.ms is not None and made.kept.plain_ms is not None
    (verdicts,) = made.verdicts.values()
    for verdict in verdicts.values():
        assert verdict.passed
    assert verdicts["semseg"].drop.high <= 0.01
    assert made.manifest.storage.floats == made.kept.floats
