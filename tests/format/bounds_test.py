"""Work is bounded before it is done: what a file states in bulk is refused, and in short."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tests.support.files import edit_model

from sakedge.errors import FileFormatError, ManifestError, NotOnnxError, TensorError
from sakedge.format import Manifest, StudentFile, write_student
from sakedge.format.onnx import wire
from sakedge.format.onnx.scan import (
    MAX_FIELDS,
    MAX_GRAPH_BYTES,
    MAX_METADATA,
    MAX_TENSORS,
    scan_model,
)
from sakedge.format.parse import MAX_BYTES, MAX_KEYS, parse, read_fields
from sakedge.format.student.manifest import STUDENT

LONGEST_MESSAGE = 2500
MOST_ERRORS = 4 * MAX_KEYS


@pytest.fixture(scope="module")
def fields(tiny_student: Path) -> dict[str, Any]:
    with StudentFile.open(tiny_student) as file:
        return file.manifest.model_dump(mode="json")


def _refusal(text: bytes) -> str:
    with pytest.raises(ManifestError) as caught:
        parse(STUDENT, read_fields(text, "student.onnx"), "student.onnx")
    assert len(str(caught.value)) < LONGEST_MESSAGE
    return str(caught.value)


def _member(text: str) -> Callable[[dict[str, Any]], bytes]:
    """A sound manifest with one more member, as text."""
    return lambda fields: (json.dumps(fields)[:-1] + "," + text + "}").encode()


def _with(**changed: Any) -> Callable[[dict[str, Any]], bytes]:
    return lambda fields: json.dumps({**fields, **changed}).encode()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_with(digests={f"{i:x}": 0 for i in range(200_000)}), "bytes, more than"),
        (_with(digests={f"{i:x}": 0 for i in range(MAX_KEYS + 1)}), "keys, more than"),
        (_with(unknown={str(i): 0 for i in range(MAX_KEYS + 1)}), "keys, more than"),
        (_with(unknown="x" * MAX_BYTES), "bytes, more than"),
        (_member('"unknown":' + "[" * 100 + "]" * 100), "nested more than 32 deep"),
        (_member('"unknown":' + "[" * 200_000), "nested more than 32 deep"),
        (_member('"unknown":' + '{"a":' * 40 + "1" + "}" * 40), "nested more than 32 deep"),
        (_member('"unknown":' + "9" * 200_000), "more than 64 digits"),
        (_member('"unknown":0.' + "1" * 400), "more than 64 digits"),
        (_member('"unknown":[1e999]'), "too large"),
        (_member('"unknown":-1e999'), "too large"),
        (_member('"unknown":NaN'), "NaN is no number"),
        (_member('"unknown":{"deep":[-Infinity]}'), "Infinity is no number"),
        (_member('"unknown":"\\ud800"'), "surrogates"),
        (_member('"unknown":1,"unknown":1'), "a key twice"),
        (_member('"requires":[]'), "a key twice"),
        (_with(levels=[""] * 100_000), r"levels"),
        (_with(requires=[0] * 300_000), r"requires\.0"),
        (_with(tasks=[0] * 300_000), r"tasks\.0"),
        (_with(adapters=[{}] * 200_000), r"adapters\.0"),
        (_with(quality=[{}] * 200_000), r"quality\.0"),
    ],
)
def test_a_flood_in_a_manifest_is_one_short_error(
    fields: dict[str, Any], make: Callable[[dict[str, Any]], bytes], reason: str
) -> None:
    message = _refusal(make(fields))
    assert re.search(reason, message), message


@pytest.mark.parametrize(
    "flood",
    [
        {"digests": {f"{i:x}": 0 for i in range(MAX_KEYS)}},
        {"levels": [""] * 100_000},
        {"requires": [0] * 100_000},
        {"tasks": [{}] * 100_000},
        {"tasks": [{"labels": [0] * 100_000, "colors": [[]] * 100_000}] * 3},
        {"adapters": [{}] * 100_000},
        {"quality": [{"adapters": {str(i): 0 for i in range(MAX_KEYS)}}] * 100},
        {"quality": [{"tasks": {str(i): {} for i in range(MAX_KEYS // 2)}}] * 100},
    ],
)
def test_the_errors_of_a_manifest_are_few(fields: dict[str, Any], flood: dict[str, Any]) -> None:
    """Each costs a hundred times the bytes that cause it."""
    with pytest.raises(ValidationError) as caught:
        Manifest.model_validate({**fields, **flood})
    assert caught.value.error_count() < MOST_ERRORS


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (("tasks", 0, "labels", 0), "x" * 257),
        (("tasks", 4, "unit"), "x" * 257),
        (("adapters", 0, "teacher"), "x" * 257),
        (("provenance", "tool"), "x" * 257),
        (("provenance", "license"), "x" * 70_000),
    ],
)
def test_what_is_shown_of_a_manifest_is_short(
    fields: dict[str, Any], place: tuple[Any, ...], text: str
) -> None:
    changed = json.loads(json.dumps(fields))
    part = changed
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = text
    assert "at most" in _refusal(json.dumps(changed).encode())


def test_a_manifest_that_its_reader_would_refuse_is_not_written(
    fields: dict[str, Any], tmp_path: Path
) -> None:
    manifest = Manifest.model_validate({**fields, "unknown": "x" * MAX_BYTES})
    with pytest.raises(ManifestError, match="more than"):
        write_student(tmp_path / "student.onnx", manifest, {})
    assert not [*tmp_path.iterdir()]


def _model(graph: bytes, after: bytes = b"") -> bytes:
    return wire.varint_field(1, 11) + wire.bytes_field(7, graph) + after


def _tensors(count: int) -> bytes:
    return b"".join(wire.bytes_field(5, wire.bytes_field(8, b"%d" % i)) for i in range(count))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (_model(b"", wire.varint_field(99, 0) * (MAX_FIELDS + 1)), "more than .* fields"),
        (_model(wire.bytes_field(13, b"") * (MAX_FIELDS + 1)), "more than .* fields"),
        (_model(wire.bytes_field(5, wire.varint_field(9, 0) * 300)), "more than 256 fields"),
        (_model(wire.bytes_field(1, b"x" * 100) * (MAX_GRAPH_BYTES // 100 + 1)), "nodes of more"),
        (_model(wire.bytes_field(1, b"") * 70_000), "more than .* nodes"),
        (_model(wire.bytes_field(12, b"x" * 5000)), "an input or output of more"),
        (_model(_tensors(MAX_TENSORS + 1)), "more than .* tensors"),
        (
            _model(
                b"",
                b"".join(
                    wire.bytes_field(14, wire.bytes_field(1, b"%d" % i))
                    for i in range(MAX_METADATA + 1)
                ),
            ),
            "metadata entries",
        ),
    ],
)
def test_a_flood_of_messages_is_refused_while_it_is_scanned(content: bytes, reason: str) -> None:
    with pytest.raises(NotOnnxError, match=reason) as caught:
        scan_model(memoryview(content), "student.onnx")
    assert len(str(caught.value)) < LONGEST_MESSAGE


@pytest.mark.parametrize("field", ["i", "t", "floats", "graphs"])
def test_a_node_of_many_parts_is_refused(tiny_student: Path, tmp_path: Path, field: str) -> None:
    def flood(model: Any) -> None:
        node = model.graph.node[0]
        if field == "i":
            for _ in range(5000):
                node.attribute.add(name="a", i=1, type=2)
        elif field == "t":
            node.attribute.add(name="a").tensors.extend([model.graph.initializer[0]] * 2)
        elif field == "floats":
            node.attribute.add()
        else:
            node.attribute.add(name="a").graphs.add()

    with pytest.raises(ManifestError, match=r"cannot be read|which no student has"):
        StudentFile.open(edit_model(tiny_student, tmp_path / "student.onnx", flood))


def test_an_impossible_size_is_refused_before_anything_is_allocated(
    fields: dict[str, Any], tiny_student: Path, tmp_path: Path
) -> None:
    huge = {**fields, "architecture": {**fields["architecture"], "width": 8184, "blocks": 256}}

    def enlarge(model: Any) -> None:
        model.metadata_props[0].value = json.dumps(huge)

    with pytest.raises(TensorError, match="more weights than any student"):
        StudentFile.open(edit_model(tiny_student, tmp_path / "student.onnx", enlarge))


def test_names_of_any_length_make_short_messages(tiny_student: Path, tmp_path: Path) -> None:
    def lengthen(model: Any) -> None:
        model.graph.output[0].name = "x" * 4000

    with pytest.raises(FileFormatError) as caught:
        StudentFile.open(edit_model(tiny_student, tmp_path / "student.onnx", lengthen))
    assert len(str(caught.value)) < LONGEST_MESSAGE
    assert "…" in str(caught.value)
