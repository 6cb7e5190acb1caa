"""Students of format version 1 are read as if they were written today."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.files import as_version_1, edit_manifest

from sakedge.format import Storage, StudentFile, write_student
from sakedge.format.parse import parse, read_fields
from sakedge.format.student.manifest import STUDENT


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


def test_the_manifest_of_the_first_student_that_was_shipped_is_read() -> None:
    text = (Path(__file__).parent / "data" / "version_1.json").read_bytes()
    manifest = parse(STUDENT, read_fields(text, "version_1.json"), "version_1.json")
    assert json.loads(text)["format_version"] == 1
    assert manifest.format_version == 2
    assert manifest.storage == Storage.uniform("fp16")
    assert manifest.stem_lineage == manifest.digests["stem"]
    assert manifest.adapter_names == ("texture", "semantics", "geometry")
