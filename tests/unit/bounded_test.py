"""Reading a file whole: within its bound, and only what is a file."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest

from sakedge.errors import EnvelopeError, FileFormatError, StorageError, UnsafePathError
from sakedge.files.bounded import read_bounded


def test_a_file_up_to_the_bound_is_read_and_no_larger_one(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for content in (b"", b"1234"):
        path.write_bytes(content)
        assert read_bounded(path, 4) == content
    path.write_bytes(b"12345")
    with pytest.raises(EnvelopeError, match="at most 4 bytes"):
        read_bounded(path, 4, EnvelopeError)


def test_a_large_bound_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"1234")
    tracemalloc.start()
    read_bounded(path, 1 << 40)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_what_is_no_file_or_a_link_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    for name in ("pipe", ".", "missing", "file/x", "\0"):
        with pytest.raises(StorageError):
            read_bounded(tmp_path / name, 9, FileFormatError)
    assert read_bounded(tmp_path / "link", 9) == b"x"
    with pytest.raises(UnsafePathError):
        read_bounded(tmp_path / "link", 9, may_be_link=False)
