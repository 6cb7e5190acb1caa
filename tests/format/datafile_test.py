"""A student and the file with its weights are replaced as one."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sakedge.errors import StorageError
from sakedge.files import temporary
from sakedge.format import Manifest, StudentFile, write_student
from sakedge.format.onnx import datafile

Components = dict[str, dict[str, NDArray[Any]]]
Whole = tuple[Manifest, Components]
BIAS = "heads.edge.last.bias"


@pytest.fixture(scope="module")
def whole(tiny_student: Path) -> Whole:
    with StudentFile.open(tiny_student) as file:
        return file.manifest, {name: file.component(name) for name in file.manifest.components}


@pytest.fixture(scope="module")
def other(whole: Whole) -> Whole:
    manifest, components = whole
    head = components["heads.edge"]
    return manifest, {**components, "heads.edge": {**head, BIAS: head[BIAS] + 1}}


def bias(path: Path) -> float:
    with StudentFile.open(path) as file:
        return float(file.component("heads.edge")[BIAS][0])


def data_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.data"))


def test_the_file_is_named_by_its_content(whole: Whole, other: Whole, tmp_path: Path) -> None:
    for folder, student in (("a", whole), ("b", whole), ("c", other)):
        (tmp_path / folder).mkdir()
        write_student(tmp_path / folder / "student.onnx", *student, external=True)
    (a,), (b,), (c,) = (data_files(tmp_path / folder) for folder in "abc")
    assert a.name == b.name != c.name
    for file in (a, c):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        assert file.name == f"student.{digest[:16]}.data"


def test_replacing_leaves_one_file_and_readers_keep_theirs(
    whole: Whole, other: Whole, tmp_path: Path
) -> None:
    path = tmp_path / "student.onnx"
    write_student(path, *whole, external=True)
    with StudentFile.open(path) as old:
        (before,) = data_files(tmp_path)
        write_student(path, *other, external=True)
        (after,) = data_files(tmp_path)
        assert before != after
        assert np.array_equal(old.component("heads.edge")[BIAS], whole[1]["heads.edge"][BIAS])
    assert bias(path) == other[1]["heads.edge"][BIAS][0]
    write_student(path, *other, external=True)
    assert data_files(tmp_path) == [after]
    write_student(path, *whole)
    assert [file.name for file in tmp_path.iterdir()] == ["student.onnx"]


def test_weights_that_a_copy_refers_to_are_kept(whole: Whole, other: Whole, tmp_path: Path) -> None:
    path, copy = tmp_path / "student.onnx", tmp_path / "student.onnx.bak"
    write_student(path, *whole, external=True)
    copy.write_bytes(path.read_bytes())
    write_student(path, *other, external=True)
    assert len(data_files(tmp_path)) == 2
    assert bias(copy) == whole[1]["heads.edge"][BIAS][0]
    copy.unlink()
    write_student(path, *other, external=True)
    assert len(data_files(tmp_path)) == 1


def test_nothing_is_removed_beside_a_student_that_cannot_be_read(
    whole: Whole, other: Whole, tmp_path: Path
) -> None:
    path = tmp_path / "student.onnx"
    write_student(path, *whole, external=True)
    (tmp_path / "damaged.onnx").write_bytes(b"\xff" * 100)
    write_student(path, *other, external=True)
    assert len(data_files(tmp_path)) == 2


def test_files_of_other_names_are_left_alone(whole: Whole, tmp_path: Path) -> None:
    others = {
        "student.onnx.data",
        "student.0123.data",
        "student.0123456789abcdeX.data",
        "studentA.0123456789abcdef.data",
        "other.0123456789abcdef.data",
    }
    for name in others:
        (tmp_path / name).touch()
    (tmp_path / "student.0123456789abcdef.data").touch()
    write_student(tmp_path / "student.onnx", *whole)
    assert {file.name for file in tmp_path.iterdir()} == {*others, "student.onnx"}


def test_a_failure_leaves_the_old_student_whole_and_nothing_else(
    whole: Whole, other: Whole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "student.onnx"
    write_student(path, *whole, external=True)
    before = {file.name for file in tmp_path.iterdir()}
    replace = Path.replace

    def fail(source: Path, target: Path) -> Path:
        if target == path:
            raise OSError(5, "Input/output error")
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(StorageError, match="Input/output"):
        write_student(path, *other, external=True)
    assert {file.name for file in tmp_path.iterdir()} == before
    assert bias(path) == whole[1]["heads.edge"][BIAS][0]


KILLED = """
import os, signal, sys
from pathlib import Path
from sakedge.format import StudentFile, write_student

path, number = Path(sys.argv[1]), int(sys.argv[2])
with StudentFile.open(path) as file:
    manifest = file.manifest
    components = {name: file.component(name) for name in manifest.components}
head = components["heads.edge"]
components["heads.edge"] = {**head, "heads.edge.last.bias": head["heads.edge.last.bias"] + 1}

count = 0
def kill_at(event, _):
    global count
    if event in ("os.rename", "os.remove", "os.chmod") or (event == "open" and _[2] & os.O_CREAT):
        count += 1
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(kill_at)
write_student(path, manifest, components, external=True)
"""


def test_whenever_the_writer_dies_there_is_a_whole_student(whole: Whole, tmp_path: Path) -> None:
    """It is killed at its first, second, third … change of the folder until there are no more."""
    path = tmp_path / "student.onnx"
    first = whole[1]["heads.edge"][BIAS][0]
    old, new = float(first), float(first + np.float32(1))
    found = []
    for number in range(1, 20):
        write_student(path, *whole, external=True)
        temporary.sweep(tmp_path)
        assert len(list(tmp_path.iterdir())) == 2
        ended = subprocess.run([sys.executable, "-c", KILLED, str(path), str(number)], check=False)
        found.append(bias(path))
        if ended.returncode == 0:
            break
    else:
        pytest.fail("the writer was never left alive")
    assert number > 3
    assert set(found) == {old, new}
    assert found == sorted(found)


@pytest.mark.parametrize("name", ["a:b.onnx", "a\\b.onnx", "\udcff.onnx", "x" * 250 + ".onnx", "s"])
def test_any_name_of_a_student_gives_a_plain_name_for_its_weights(
    name: str, whole: Whole, tmp_path: Path
) -> None:
    write_student(tmp_path / name, *whole, external=True)
    assert bias(tmp_path / name) == whole[1]["heads.edge"][BIAS][0]
    (data,) = data_files(tmp_path)
    assert len(os.fsencode(data.name)) <= 255


def test_a_link_is_followed_unless_weights_go_beside_it(
    whole: Whole, other: Whole, tmp_path: Path
) -> None:
    (tmp_path / "release").mkdir()
    target, link = tmp_path / "release" / "v1.onnx", tmp_path / "student.onnx"
    write_student(target, *whole)
    link.symlink_to(target)
    write_student(link, *other)
    assert link.is_symlink()
    assert bias(target) == other[1]["heads.edge"][BIAS][0]
    with pytest.raises(StorageError, match="it is a link"):
        write_student(link, *whole, external=True)
    assert bias(target) == other[1]["heads.edge"][BIAS][0]
    assert not data_files(tmp_path)


def test_the_name_tells_the_digest() -> None:
    name = datafile.name_of(Path("folder/student.onnx"), "0123456789abcdef" * 4)
    assert name == "student.0123456789abcdef.data"
