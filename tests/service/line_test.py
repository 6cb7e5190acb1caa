"""A line's file: what it may say, and what is said of what it may not."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from tests.service.conftest import MakeLine

from sakedge.cli.predict import predict
from sakedge.errors import FileFormatError, OptionError, StorageError
from sakedge.service.line import Line, read_line


def test_its_words_are_those_of_predict() -> None:
    """A line keeps its service's cache, shows nobody progress, and has words for its quota."""
    words = {each.alias or name for name, each in Line.model_fields.items()}
    options = set(inspect.signature(predict).parameters)
    assert options - words == {"cache_dir", "progress"}
    assert words - options == {"network", "cpus", "memory_mb"}


def test_what_is_left_out_is_as_for_predict_but_nothing_is_saved(make_line: MakeLine) -> None:
    line = read_line(make_line())
    usual = inspect.signature(predict).parameters
    for name in ("adapters", "tasks", "fit", "batch", "max_pixels", "reconnect_pause", "precision"):
        assert getattr(line, name) == usual[name].default
    assert (line.save, usual["save"].default) == (False, True)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"brightness": 1}, "brightness: Extra inputs"),
        ({"student": "student.onnx"}, "student: .*absolute path"),
        ({"student": 7}, "student: .*string"),
        ({"batch": 0}, "batch"),
        ({"batch": "2"}, "batch"),
        ({"cpus": -1}, "cpus"),
        ({"source": "/dev/video0\nUser=root"}, "source"),
        ({"store": "/var/lib/a %h"}, "store"),
        ({"output": "a b"}, "output"),
        ({"network": ["plant"]}, "network"),
        ({"network": []}, "network"),
        ({"source": "rtsp://cam3/main"}, "network"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, object], says: str, make_line: MakeLine) -> None:
    with pytest.raises(OptionError, match=says):
        read_line(make_line(**fields))


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b'{"a": 1, "a": 2}', b"\xff", b"[" * 50000])
def test_what_is_no_json_object_is_refused(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "line.json"
    path.write_bytes(text)
    with pytest.raises(OptionError, match="describes no line"):
        read_line(path)


def test_a_file_that_is_too_large_or_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        read_line(tmp_path / "line.json")
    (tmp_path / "line.json").write_bytes(b" " * (1 << 17))
    with pytest.raises(FileFormatError, match="too large"):
        read_line(tmp_path / "line.json")


@pytest.mark.parametrize("name", ["Line.json", "line.toml", "-.json", "a.b.json", "lïne.json"])
def test_a_name_that_no_unit_can_have_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no name for a line"):
        read_line(tmp_path / name)
