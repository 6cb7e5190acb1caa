"""Paths as callers give them, and files that are mapped: opened once, judged by what was opened."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from sakedge.errors import OptionError, StorageError, UnsafePathError
from sakedge.files import mapped
from sakedge.files.mapped import MappedFile
from sakedge.files.paths import absolute_path, file_path


@pytest.mark.parametrize("given", [None, 3, b"a", ["a"], ("a",), {}, object(), 1.5, True])
def test_what_is_no_path_is_refused(given: Any) -> None:
    with pytest.raises(OptionError, match="a pack is given by its path"):
        file_path("a pack", given)


@pytest.mark.parametrize("given", ["a\0b", "\0", "\ud800", "a\udfffb"])
def test_what_no_path_can_hold_is_refused(given: str) -> None:
    with pytest.raises(StorageError, match="no file can have this path"):
        file_path("a pack", given)


def test_paths_are_taken_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert file_path("x", "a b#é") == Path("a b#é")
    assert file_path("x", tmp_path) == tmp_path
    undecodable = os.fsdecode(b"part-\xff.onnx")
    assert os.fsencode(file_path("x", undecodable)) == b"part-\xff.onnx"
    monkeypatch.chdir(tmp_path)
    assert absolute_path("x", "a") == tmp_path / "a"
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(StorageError, match="the current folder, which is gone"):
        absolute_path("x", "a")


def test_the_file_that_was_opened_is_judged_not_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two look-ups a name may have come to mean a pipe, which waits for ever."""
    path = tmp_path / "file"
    path.write_bytes(b"sound")
    opened: list[int] = []
    system_open = os.open

    def open_and_replace(*arguments: Any) -> int:
        opened.append(system_open(*arguments))
        path.unlink()
        os.mkfifo(path)
        return opened[-1]

    monkeypatch.setattr(mapped.os, "open", open_and_replace)
    assert bytes(MappedFile(path).data) == b"sound"
    assert len(opened) == 1
    monkeypatch.undo()
    with pytest.raises(StorageError, match="not a regular file"):
        MappedFile(path)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/", "/proc/self/mem/x", "x" * 5000])
def test_what_is_no_file_is_a_storage_error(path: str) -> None:
    with pytest.raises(StorageError):
        MappedFile(Path(path))


def test_a_link_is_followed_unless_it_may_not_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"sound")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "loop").symlink_to("loop")
    assert bytes(MappedFile(tmp_path / "link").data) == b"sound"
    assert bytes(MappedFile(tmp_path / "file", may_be_link=False).data) == b"sound"
    with pytest.raises(UnsafePathError, match="is a link"):
        MappedFile(tmp_path / "link", may_be_link=False)
    with pytest.raises(StorageError):
        MappedFile(tmp_path / "loop")


def test_a_file_that_was_cut_short_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(10_000))
    file = MappedFile(path)
    file.check_length()
    with path.open("ab") as more:
        more.write(b"longer")
    file.check_length()
    os.truncate(path, 9_999)
    with pytest.raises(StorageError, match=r"expected 10000 bytes; got 9999"):
        file.check_length()


def test_an_empty_file_has_no_bytes(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    file = MappedFile(tmp_path / "empty")
    file.check_length()
    assert len(file.data) == 0
