"""What the record in a file means for what runs: chosen by `auto`, told, or refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.support.command_line import Run
from tests.support.pictures import picture

import sakedge
from sakedge.errors import UnverifiedError
from sakedge.format import QualityEntry, StudentFile, TaskQuality, extract_part, write_pack
from sakedge.format.student.record import record_quality
from sakedge.runtime import precision
from sakedge.runtime.machine import backend_versions

BACKEND = "onnxruntime"
HERE = f"{BACKEND} {backend_versions()[BACKEND]}"

Recorded = Callable[..., Path]


@pytest.fixture(autouse=True)
def _gains_by_int8(monkeypatch: pytest.MonkeyPatch) -> None:
    """On every CPU, so that what is recorded decides."""
    monkeypatch.setattr(precision, "is_as_fast", lambda name: name == "int8")


@pytest.fixture
def recorded(int8_student: Path, tmp_path: Path) -> Recorded:
    """The int8 student with one entry that passes, but for the changes."""

    def write(source: Path = int8_student, **changes: Any) -> Path:
        path = Path(shutil.copy(source, tmp_path / "student.onnx"))
        with StudentFile.open(path) as file:
            manifest, content = file.manifest, file.content_digest
        passed = TaskQuality(
            metric="mIoU", value=71, reference=72, passed=True, n=200, dataset="site"
        )
        names = manifest.adapter_names
        entry = QualityEntry(
            content=content,
            adapters={name: manifest.digests[f"adapters.{name}"] for name in names},
            precision="int8",
            runtime=HERE,
            tasks=dict.fromkeys(manifest.task_names, passed),
        )
        record_quality(path, [entry.model_copy(update=changes)])
        return path

    return write


def image(student: sakedge.Student) -> Any:
    return np.zeros((*student.input_size, 3), np.uint8)


def test_auto_takes_what_is_recorded_in_the_backend_in_which_it_is(recorded: Recorded) -> None:
    with sakedge.load(recorded()) as student:
        told, result = student.explain(), student(image(student))
    assert (told.precision, told.backend) == ("int8", BACKEND)
    assert (told.quality, told.quality_reason) == ("verified", f"recorded at int8 with {HERE}")
    assert result.quality == result.to_dict()["quality"] == "verified"
    assert f"verified: recorded at int8 with {HERE}" in str(told)


def test_a_backend_that_is_named_needs_an_entry_of_its_own(recorded: Recorded) -> None:
    with sakedge.load(recorded(), backend="openvino") as student:
        told = student.explain()
    assert (told.precision, told.backend) == ("fp32", "openvino")


def test_another_version_of_the_runtime_counts_and_is_told(recorded: Recorded) -> None:
    with sakedge.load(recorded(runtime=f"{BACKEND} 1.2")) as student:
        told = student.explain()
    assert (told.precision, told.quality) == ("int8", "verified")
    assert told.quality_reason == f"recorded at int8 with {BACKEND} 1.2, and this is {HERE}"


@pytest.mark.parametrize(
    "changes",
    [
        {"content": "0" * 64},
        {"adapters": {}},
        {"precision": "bf16"},
        {"runtime": "abacus 1"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_an_entry_for_anything_else_leaves_auto_at_fp32_and_int8_unverified(
    changes: dict[str, Any], recorded: Recorded
) -> None:
    path = recorded(**changes)
    with sakedge.load(path) as student:
        told = student.explain()
    # In fp32 all runtimes compute the same.
    assert told.precision == "fp32"
    assert told.quality == ("verified" if "runtime" in changes else "unverified")
    with sakedge.load(path, precision="int8", backend=BACKEND) as student:
        assert student(image(student)).quality == "unverified"


def test_tasks_that_passed_are_verified_without_those_that_failed(recorded: Recorded) -> None:
    with StudentFile.open(recorded()) as file:
        tasks = dict(file.manifest.quality[0].tasks)
    tasks["edge"] = tasks["edge"].model_copy(update={"passed": False})
    path = recorded(tasks=tasks)
    with sakedge.load(path) as student:
        assert student.explain().precision == "fp32"
    with sakedge.load(path, tasks="sal") as student:
        assert (student.explain().precision, student.explain().quality) == ("int8", "verified")
    with sakedge.load(path, precision="int8", backend=BACKEND) as student:
        assert student(image(student), tasks="sal").quality == "verified"
        assert student(image(student)).quality == "unverified"


def test_floats_in_fp32_are_the_reference_and_int8_weights_are_not(
    tiny_student: Path, recorded: Recorded
) -> None:
    with sakedge.load(tiny_student, config={"unverified": "refuse"}) as student:
        assert student(image(student)).quality == "reference"
    for backend in ("onnxruntime", "openvino"):
        with sakedge.load(recorded(), precision="fp32", backend=backend) as student:
            assert student.explain().quality == "verified"


def test_adapters_that_are_not_recorded_together_are_unverified_and_may_be_refused(
    recorded: Recorded, tiny_student: Path, tmp_path: Path
) -> None:
    path, pack = recorded(), tmp_path / "dino.safetensors"
    with StudentFile.open(tiny_student) as file:
        part = extract_part(file, "adapters.dino")
    write_pack(pack, part.manifest, part.tensors)
    with sakedge.load(path) as student:
        assert student(image(student), adapters="sam").quality == "unverified"
        student.adapters.swap("dino", pack)
        assert student(image(student)).quality == "unverified"
        assert student.explain().precision == "int8"
        assert "with these adapters" in student.explain().quality_reason
    with sakedge.load(path, config={"unverified": "refuse"}) as student:
        before = student.adapters.snapshot()
        for forbidden in (
            lambda: student.adapters.swap("dino", pack),
            lambda: student.adapters.remove("dino"),
            lambda: student(image(student), adapters="sam"),
        ):
            with pytest.raises(UnverifiedError, match="records no quality"):
                forbidden()
        assert student.adapters.snapshot() is before
        assert student(image(student)).quality == "verified"


def test_what_is_not_recorded_may_be_refused_when_it_is_loaded(int8_student: Path) -> None:
    with pytest.raises(UnverifiedError, match=r"records no quality.*sakedge quantize"):
        sakedge.load(int8_student, precision="int8", config={"unverified": "refuse"})


@pytest.mark.parametrize(("adapters", "quality"), [("dino,sam", "verified"), ("sam", "unverified")])
def test_predict_tells_the_quality(
    adapters: str, quality: str, run: Run, recorded: Recorded, tmp_path: Path
) -> None:
    Image.fromarray(picture(64, 96)).save(tmp_path / "part.png")
    options = ("--precision", "int8", "--backend", BACKEND, "--adapters", adapters, "--no-save")
    command = ("predict", recorded(), tmp_path / "part.png", *options)
    assert json.loads(run(*command, "--json").stdout)["quality"] == quality
    assert ("quality unverified" in run(*command).stdout) == (quality == "unverified")
