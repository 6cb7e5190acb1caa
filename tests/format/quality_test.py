from __future__ import annotations

from pathlib import Path

import pytest

from sakedge.format import (
    Manifest,
    QualityEntry,
    StudentFile,
    TaskQuality,
    write_student,
)


@pytest.fixture(scope="module")
def manifest(tiny_student: Path) -> Manifest:
    with StudentFile.open(tiny_student) as file:
        return file.manifest


def _entry(manifest: Manifest, precision: str) -> QualityEntry:
    passed = TaskQuality(
        metric="miou", value=0.71, reference=0.72, passed=True, n=200, dataset="site"
    )
    return QualityEntry(
        content="a" * 64,
        adapters={"sam": "b" * 64, "dino": "c" * 64},
        precision=precision,
        runtime="onnxruntime 1.32",
        tasks=dict.fromkeys(manifest.task_names, passed),
    )


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
