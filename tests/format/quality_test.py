from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sakedge.format import (
    Manifest,
    QualityEntry,
    StudentFile,
    TaskQuality,
    write_student,
)

CONTENT, ADAPTERS = "a" * 64, {"sam": "b" * 64, "dino": "c" * 64}


@pytest.fixture(scope="module")
def manifest(tiny_student: Path) -> Manifest:
    with StudentFile.open(tiny_student) as file:
        return file.manifest


def _entry(manifest: Manifest, precision: str, **changes: Any) -> QualityEntry:
    passed = TaskQuality(
        metric="miou", value=0.71, reference=0.72, passed=True, n=200, dataset="site"
    )
    entry = QualityEntry(
        content=CONTENT,
        adapters=ADAPTERS,
        precision=precision,
        runtime="onnxruntime 1.32",
        tasks=dict.fromkeys(manifest.task_names, passed),
    )
    return entry.model_copy(update=changes)


def _recorded(manifest: Manifest, *entries: QualityEntry) -> frozenset[str]:
    whole = manifest.model_copy(update={"quality": entries})
    return whole.recorded_precisions(CONTENT, ADAPTERS)


def test_precisions_are_recorded_for_this_content_and_these_adapters(manifest: Manifest) -> None:
    assert _recorded(manifest) == frozenset()
    both = _entry(manifest, "bf16"), _entry(manifest, "int8")
    assert _recorded(manifest, *both) == {"bf16", "int8"}


def test_an_entry_for_anything_else_records_nothing(manifest: Manifest) -> None:
    tasks = _entry(manifest, "bf16").tasks
    failed = tasks | {"edge": tasks["edge"].model_copy(update={"passed": False})}
    others = (
        {"content": "0" * 64},
        {"adapters": ADAPTERS | {"sam": "0" * 64}},
        {"adapters": {"sam": ADAPTERS["sam"]}},
        {"adapters": ADAPTERS | {"clip": "0" * 64}},
        {"tasks": failed},
        {"tasks": {"edge": tasks["edge"]}},
    )
    for changes in others:
        assert _recorded(manifest, _entry(manifest, "bf16", **changes)) == frozenset(), changes


def test_quality_is_kept_in_the_file_and_is_no_content(
    tiny_student: Path, manifest: Manifest, tmp_path: Path
) -> None:
    path = tmp_path / "student.onnx"
    measured = manifest.model_copy(update={"quality": (_entry(manifest, "bf16"),)})
    with StudentFile.open(tiny_student) as file:
        components = {name: file.component(name) for name in manifest.components}
        write_student(path, measured, components)
        with StudentFile.open(path) as written:
            assert written.manifest.quality == measured.quality
            assert written.content_digest == file.content_digest
            assert written.file_digest != file.file_digest
