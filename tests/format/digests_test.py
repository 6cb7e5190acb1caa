"""What the two digests of a student cover."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.files import Edit, edit_manifest, edit_model, set_field

from sakedge.format import StudentFile, write_student


@pytest.fixture(scope="module")
def plain(tiny_student: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The student as protobuf and json write it, so that an edit is the only difference."""
    return edit_manifest(tiny_student, tmp_path_factory.mktemp("plain") / "s.onnx", lambda m: None)


def _digests(path: Path) -> tuple[str, str]:
    with StudentFile.open(path) as file:
        return file.content_digest, file.file_digest


@pytest.mark.parametrize(
    "edit",
    [
        set_field("tasks", 0, "labels", value=["a", "b", "c", "d"]),
        set_field("tasks", 4, "unit", value="cm"),
        set_field("tasks", 4, "unknown", value=None),
        set_field("preprocess", "mean", value=[0.5, 0.5, 0.5]),
        set_field("preprocess", "fit", value="tile"),
        set_field("adapters", 0, "unknown", value=1),
        set_field("digests", "heads.edge", value="0" * 64),
        set_field("unknown", value={"deep": []}),
    ],
)
def test_what_decides_the_outputs_changes_both(plain: Path, tmp_path: Path, edit: Edit) -> None:
    content, file = _digests(edit_manifest(plain, tmp_path / "s.onnx", edit))
    assert content != _digests(plain)[0] and file != _digests(plain)[1]


@pytest.mark.parametrize(
    "edit",
    [
        set_field("provenance", "tool", value="another"),
        set_field("provenance", "unknown", value=1),
        set_field("adapters", 0, "license", value="MIT"),
        set_field("adapters", 0, "teacher", value="another"),
        lambda manifest: manifest["preprocess"].pop("fit"),  # stated or not, it is the default
    ],
)
def test_what_does_not_decide_the_outputs_changes_the_files(
    plain: Path, tmp_path: Path, edit: Edit
) -> None:
    content, file = _digests(edit_manifest(plain, tmp_path / "s.onnx", edit))
    assert content == _digests(plain)[0] and file != _digests(plain)[1]


def test_the_versions_of_onnx_are_content(plain: Path, tmp_path: Path) -> None:
    def newer_operators(model: Any) -> None:
        model.opset_import[0].version = 24

    def newer_format(model: Any) -> None:
        model.ir_version = 12

    contents = {_digests(plain)[0]}
    for edit in (newer_operators, newer_format):
        contents.add(_digests(edit_model(plain, tmp_path / "s.onnx", edit))[0])
    assert len(contents) == 3


def test_the_files_digest_covers_what_onnx_lets_a_file_say_beside_the_manifest(
    plain: Path, tmp_path: Path
) -> None:
    def remark(model: Any) -> None:
        model.doc_string = "read me"

    content, file = _digests(edit_model(plain, tmp_path / "s.onnx", remark))
    assert content == _digests(plain)[0] and file != _digests(plain)[1]


def test_a_weight_changes_both(tiny_student: Path, tmp_path: Path) -> None:
    with StudentFile.open(tiny_student) as file:
        components = {name: dict(file.component(name)) for name in file.manifest.components}
        bias = "heads.edge.last.bias"
        components["heads.edge"][bias] = components["heads.edge"][bias] + 1
        write_student(tmp_path / "s.onnx", file.manifest, components)
        content, whole = _digests(tmp_path / "s.onnx")
        assert content != file.content_digest and whole != file.file_digest


def test_weights_in_another_file_are_the_same_content(tiny_student: Path, tmp_path: Path) -> None:
    with StudentFile.open(tiny_student) as file:
        components = {name: file.component(name) for name in file.manifest.components}
        write_student(tmp_path / "s.onnx", file.manifest, components, external=True)
        content, whole = _digests(tmp_path / "s.onnx")
        assert content == file.content_digest and whole != file.file_digest
