"""Every cause for which a student's manifest is refused, with its own error type and message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.files import Edit, edit_manifest, edit_model, read_all, set_field

from sakedge.errors import (
    FileFormatError,
    ManifestError,
    NewerFormatError,
    TensorError,
    UnsupportedFeatureError,
)
from sakedge.format import StudentFile


def test_a_newer_format_asks_for_an_update(tiny_student: Path, tmp_path: Path) -> None:
    def newer(manifest: dict[str, Any]) -> None:
        # What a newer version changes must not be the reason for refusing it.
        manifest |= {"format_version": 3, "requires": ["something_new"]}
        manifest["storage"] = {"stem": "int2"}

    path = edit_manifest(tiny_student, tmp_path / "student.onnx", newer)
    with pytest.raises(NewerFormatError, match=r"version 2 or older.*got version 3.*Update"):
        StudentFile.open(path)


def test_a_feature_that_is_not_here_is_named(tiny_student: Path, tmp_path: Path) -> None:
    def require(manifest: dict[str, Any]) -> None:
        manifest["requires"] = ["palettes"]
        manifest["storage"]["stem"] = "palette8"

    path = edit_manifest(tiny_student, tmp_path / "student.onnx", require)
    with pytest.raises(UnsupportedFeatureError, match=r"requires the feature 'palettes'.*Update"):
        StudentFile.open(path)


@pytest.mark.parametrize(
    ("edit", "error", "reason"),
    [
        (set_field("format_version", value="1"), ManifestError, "no format version"),
        (set_field("format_version", value=0), ManifestError, "no format version"),
        (set_field("format_version", value=1), ManifestError, r"precision\.weights .* missing"),
        (set_field("requires", value="palettes"), ManifestError, "requires"),
        (set_field("requires", value=[1]), ManifestError, "requires"),
        (set_field("stem_lineage", value="0" * 64), ManifestError, "lineage of a float32 stem"),
        (set_field("levels", value=[0, 9]), ManifestError, "ascending block indices"),
        (set_field("digests", value={}), ManifestError, "digests do not match"),
        (set_field("tasks", 0, "kind", value="guess"), ManifestError, r"tasks\.0\.kind"),
        (set_field("input_size", value=[64, 128]), TensorError, "pos_embed"),
        (set_field("input_size", value=[96, 64]), ManifestError, "input of .* contradicts"),
        (set_field("architecture", "width", value=60), TensorError, "contradicts the manifest"),
        (set_field("architecture", "width", value=8184), TensorError, "contradicts the manifest"),
        (set_field("architecture", "blocks", value=5), TensorError, "lacks tensor"),
        (set_field("storage", "heads", value="fp16"), TensorError, "expected float16"),
        (set_field("storage", "heads", value="fp12"), ManifestError, r"storage\.heads"),
        (set_field("adapters", 0, "name", value="clip"), ManifestError, "digests do not match"),
        (set_field("tasks", 1, "name", value="rim"), ManifestError, "digests do not match"),
        (set_field("tasks", 0, "classes", value=5), ManifestError, "labels for 5 classes"),
    ],
)
def test_an_edited_manifest_contradicts_the_file(
    tiny_student: Path,
    tmp_path: Path,
    edit: Edit,
    error: type[FileFormatError],
    reason: str,
) -> None:
    path = edit_manifest(tiny_student, tmp_path / "student.onnx", edit)
    with pytest.raises(error, match=reason):
        read_all(path)


def test_tasks_in_another_order_contradict_the_outputs(tiny_student: Path, tmp_path: Path) -> None:
    path = edit_manifest(
        tiny_student, tmp_path / "student.onnx", lambda m: m["tasks"].append(m["tasks"].pop(0))
    )
    with pytest.raises(ManifestError, match=r"output of .* contradicts"):
        StudentFile.open(path)


def test_a_manifest_that_is_no_json_is_refused(tiny_student: Path, tmp_path: Path) -> None:
    def spoil(model: Any) -> None:
        model.metadata_props[0].value = "{not json"

    path = edit_model(tiny_student, tmp_path / "student.onnx", spoil)
    with pytest.raises(ManifestError, match="not JSON"):
        StudentFile.open(path)


def test_a_number_beyond_all_bounds_is_refused(tiny_student: Path, tmp_path: Path) -> None:
    def overflow(model: Any) -> None:
        entry = model.metadata_props[0]
        entry.value = entry.value.replace('"fit":', '"unknown":1e999,"fit":')

    path = edit_model(tiny_student, tmp_path / "student.onnx", overflow)
    with pytest.raises(ManifestError, match="not JSON"):
        StudentFile.open(path)


def test_a_deeply_nested_manifest_is_refused(tiny_student: Path, tmp_path: Path) -> None:
    def nest(model: Any) -> None:
        model.metadata_props[0].value = "[" * 1_000_000

    path = edit_model(tiny_student, tmp_path / "student.onnx", nest)
    with pytest.raises(ManifestError):
        StudentFile.open(path)
