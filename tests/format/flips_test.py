"""Every single bit of a manifest: its flip is refused or shows in the digests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sakedge.errors import FileFormatError
from sakedge.format import (
    QualityEntry,
    StudentFile,
    TaskQuality,
    content_digest,
    extract_part,
    read_pack,
    write_pack,
    write_student,
)
from sakedge.format.onnx.scan import scan_model
from sakedge.format.onnx.wire import Span
from sakedge.format.parse import parse, read_fields
from sakedge.format.schema import METADATA_KEY
from sakedge.format.student.manifest import STUDENT, Manifest

STRIDE = 101
"""One flip of so many goes through the opening of a whole file, which takes milliseconds."""

NOT_CONTENT = re.compile(r"provenance|quality/|adapters/\d/(teacher|license)(/|$)")


@pytest.fixture(scope="module")
def path(tiny_student: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny student with something in every field, and unknown fields."""
    path = tmp_path_factory.mktemp("flips") / "student.onnx"
    with StudentFile.open(tiny_student) as file:
        passed = TaskQuality(
            metric="miou", value=0.71, reference=0.72, passed=True, n=200, dataset="site"
        )
        entry = QualityEntry(
            content=file.content_digest,
            adapters={"sam": "b" * 64},
            precision="bf16",
            runtime="onnxruntime 1.32",
            tasks={"edge": passed},
        )
        fields = file.manifest.model_dump(mode="json")
        fields["quality"] = [entry.model_dump(mode="json")]
        fields["adapters"][0] |= {"license": "MIT", "unknown": 1.5}
        fields["tasks"][1] |= {"unknown": {"deep": [True, None]}}
        fields["unknown"] = "é"
        components = {name: file.component(name) for name in file.manifest.components}
        write_student(path, Manifest.model_validate(fields), components)
    return path


def _place(content: bytes) -> Span:
    return scan_model(memoryview(content), "student.onnx").metadata[METADATA_KEY]


def _flips(text: bytes) -> Iterator[bytes]:
    for at in range(len(text)):
        for bit in range(8):
            yield text[:at] + bytes([text[at] ^ 1 << bit]) + text[at + 1 :]


def _differences(one: Any, other: Any, place: str = "") -> Iterator[str]:
    """Paths of the JSON values, and of the keys, in which two manifests differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            if key in one and key in other:
                yield from _differences(one[key], other[key], f"{place}{key}/")
            else:
                yield f"{place}{key}"
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for i, (a, b) in enumerate(zip(one, other, strict=True)):
            yield from _differences(a, b, f"{place}{i}/")
    elif one != other:
        yield place


def test_an_accepted_flip_changes_the_content_digest_if_it_touches_content(path: Path) -> None:
    content = path.read_bytes()
    start, end = _place(content)
    text = content[start:end]
    sound = json.loads(text)
    with StudentFile.open(path) as file:
        versions, digest = (file.opset, file.ir_version), file.content_digest
    refused = changed = kept = 0
    for flipped in _flips(text):
        try:
            manifest = parse(STUDENT, read_fields(flipped, "student.onnx"), "student.onnx")
        except FileFormatError:
            refused += 1
            continue
        differences = set(_differences(sound, json.loads(flipped)))
        assert differences
        if content_digest(manifest, *versions) == digest:
            kept += 1
            assert all(NOT_CONTENT.match(place) for place in differences), differences
        else:
            changed += 1
            assert not all(NOT_CONTENT.match(place) for place in differences), differences
    assert refused + changed + kept == 8 * len(text)
    assert min(refused, changed, kept) > 500, "the flips are all of one sort"


def test_a_flip_is_refused_or_changes_the_file_digest(path: Path, tmp_path: Path) -> None:
    content = path.read_bytes()
    start, end = _place(content)
    with StudentFile.open(path) as file:
        digest = file.file_digest
    target = tmp_path / "student.onnx"
    target.write_bytes(content)
    accepted = 0
    for i, flipped in enumerate(_flips(content[start:end])):
        if i % STRIDE:
            continue
        with target.open("r+b") as writing:
            writing.seek(start)
            writing.write(flipped)
        try:
            with StudentFile.open(target) as file:
                assert file.file_digest != digest
                accepted += 1
        except FileFormatError:
            pass
    assert accepted > 20


def test_a_flip_in_a_pack_is_refused_or_changes_its_file_digest(
    tiny_student: Path, tmp_path: Path
) -> None:
    """The manifest's own bits; those of the tensors are refused by their digest."""
    target = tmp_path / "sam.safetensors"
    with StudentFile.open(tiny_student) as file:
        pack = extract_part(file, "adapters.sam", version="2026-11")
    write_pack(target, pack.manifest, pack.tensors)
    content, digest = target.read_bytes(), read_pack(target).file_digest
    text = json.dumps(pack.manifest.model_dump_json())[1:-1].encode()  # a string in the header
    start = content.index(text)
    accepted = 0
    for i, flipped in enumerate(_flips(text)):
        if i % 7:
            continue
        target.write_bytes(content[:start] + flipped + content[start + len(text) :])
        try:
            assert read_pack(target).file_digest != digest
            accepted += 1
        except FileFormatError:
            pass
    assert accepted > 20
