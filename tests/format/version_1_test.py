"""Students of format version 1 are read as if they were written today."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.files import as_version_1, edit_manifest

from sakedge.assets import demo_student
from sakedge.format import Storage, StudentFile, write_student


@pytest.fixture
def old(tiny_student: Path, tmp_path: Path) -> Path:
    return edit_manifest(tiny_student, tmp_path / "old.onnx", as_version_1)


def test_its_manifest_is_that_of_the_newest_version(tiny_student: Path, old: Path) -> None:
    with StudentFile.open(tiny_student) as new, StudentFile.open(old) as file:
        assert (file.format_version, new.format_version) == (1, 2)
        assert file.manifest == new.manifest
        assert file.manifest.stem_lineage == file.manifest.digests["stem"]


def test_its_content_digest_is_that_of_its_rewrite(old: Path, tmp_path: Path) -> None:
    with StudentFile.open(old) as file:
        components = {name: file.component(name) for name in file.manifest.components}
        write_student(tmp_path / "new.onnx", file.manifest, components)
        with StudentFile.open(tmp_path / "new.onnx") as new:
            assert new.format_version == 2
            assert new.content_digest == file.content_digest
            assert new.file_digest != file.file_digest


def test_the_demo_student_that_is_shipped_is_read(tmp_path: Path) -> None:
    with StudentFile.open(demo_student()) as file:
        assert file.format_version == 1
        assert file.manifest.storage == Storage.uniform("fp16")
        assert file.manifest.stem_lineage == file.manifest.digests["stem"]
        assert (file.opset, file.ir_version) == (23, 11)
        components = {name: file.component(name) for name in file.manifest.components}
        rewritten = write_student(tmp_path / "new.onnx", file.manifest, components)
        assert rewritten == file.manifest
        with StudentFile.open(tmp_path / "new.onnx") as new:
            assert new.content_digest == file.content_digest
