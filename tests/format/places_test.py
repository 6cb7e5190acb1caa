"""Weights in a data file: each byte is one tensor's, and the file is beside the student itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from tests.support.files import initializer, read_all

from sakedge.errors import FileFormatError, StorageError, TensorError, UnsafePathError
from sakedge.format import StudentFile, write_student

BIAS = "heads.edge.last.bias"


@pytest.fixture
def path(tiny_student: Path, tmp_path: Path) -> Path:
    path = tmp_path / "student.onnx"
    with StudentFile.open(tiny_student) as file:
        components = {name: file.component(name) for name in file.manifest.components}
        write_student(path, file.manifest, components, external=True)
    return path


def _data(path: Path) -> Path:
    (data,) = path.parent.glob("student.*.data")
    return data


def _edit(path: Path, edit: Callable[[Any], None]) -> None:
    model = onnx.load(path, load_external_data=False)
    edit(model)
    path.write_bytes(model.SerializeToString())


def _entries(tensor: Any) -> dict[str, Any]:
    return {entry.key: entry for entry in tensor.external_data}


def _relocate(path: Path, location: str) -> None:
    def edit(model: Any) -> None:
        for tensor in model.graph.initializer:
            _entries(tensor)["location"].value = location

    _edit(path, edit)


def test_tensors_that_share_bytes_are_refused(path: Path) -> None:
    def alias(model: Any) -> None:
        for tensor in model.graph.initializer:
            _entries(tensor)["offset"].value = "0"

    _edit(path, alias)
    with pytest.raises(TensorError, match="share bytes"):
        StudentFile.open(path)


def test_tensors_that_overlap_by_one_value_are_refused(path: Path) -> None:
    def overlap(model: Any) -> None:
        entry = _entries(initializer(model, "stem.pos_embed"))["offset"]
        entry.value = str(int(entry.value) - 4)

    _edit(path, overlap)
    with pytest.raises(TensorError, match=r"share bytes|belong to no tensor"):
        StudentFile.open(path)


@pytest.mark.parametrize("offset", ["-1", "1e3", "0x10", "\uff11", "\u0663", " 64", "", "9" * 30])
def test_an_offset_is_written_in_plain_digits(path: Path, offset: str) -> None:
    def edit(model: Any) -> None:
        _entries(initializer(model, BIAS))["offset"].value = offset

    _edit(path, edit)
    with pytest.raises(TensorError, match="no valid offset"):
        StudentFile.open(path)


def test_bytes_that_no_digest_covers_are_refused(path: Path) -> None:
    data = _data(path)
    sound = bytearray(data.read_bytes())
    model = onnx.load(path, load_external_data=False)
    place = _entries(initializer(model, BIAS))
    end = int(place["offset"].value) + int(place["length"].value)
    read_all(path)
    for content in (
        sound[:end] + b"\x01" + sound[end + 1 :],  # in the padding
        sound + b"\x01",  # after the last tensor
        sound + bytes(70_000),  # zeros, but more than padding
    ):
        data.write_bytes(content)
        with pytest.raises(TensorError, match="belong to no tensor"):
            StudentFile.open(path)
    data.write_bytes(sound + bytes(4096))
    read_all(path)


def test_a_sparse_file_of_any_size_is_refused_at_once(path: Path) -> None:
    os.truncate(_data(path), 1 << 40)
    with pytest.raises(TensorError, match="belong to no tensor"):
        StudentFile.open(path)


def test_a_data_file_that_is_a_link_is_refused(path: Path) -> None:
    data, moved = _data(path), path.with_name("elsewhere")
    data.rename(moved)
    data.symlink_to(moved)
    with pytest.raises(UnsafePathError, match="is a link"):
        StudentFile.open(path)
    data.unlink()
    os.link(moved, data)  # another name of the same file; its bytes are digested as any
    read_all(path)


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "the student itself"])
def test_a_data_file_that_is_no_file_of_weights_is_refused(path: Path, kind: str) -> None:
    other = path.with_name("other")
    if kind == "folder":
        other.mkdir()
    elif kind == "pipe":
        os.mkfifo(other)
    elif kind == "device":
        other.symlink_to("/dev/zero")
    else:
        other = path
    _relocate(path, other.name)
    with pytest.raises((StorageError, FileFormatError)):
        StudentFile.open(path)


@pytest.mark.parametrize("location", ["x" * 300, "a\x00b"])
def test_a_name_that_no_file_has_is_an_error_of_ours(path: Path, location: str) -> None:
    _relocate(path, location)
    with pytest.raises((StorageError, UnsafePathError)):
        StudentFile.open(path)


def test_a_student_that_is_a_link_is_read(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "current.onnx"
    link.symlink_to(path)
    read_all(link)


def test_a_file_that_is_cut_short_while_it_is_open_ends_no_process(path: Path) -> None:
    with StudentFile.open(path) as file:
        file.component("heads.edge")
        os.truncate(_data(path), 4096)
        with pytest.raises(StorageError, match="cut short while it was in use"):
            file.component("stem")
