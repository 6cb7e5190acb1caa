from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from tests.support.files import without_rights

from sakedge.errors import (
    AdapterMismatchError,
    DigestError,
    FileFormatError,
    ManifestError,
    NewerFormatError,
    StorageError,
    TensorError,
    TruncatedFileError,
    UnknownNameError,
    UnsupportedFeatureError,
)
from sakedge.format import (
    PartPack,
    StudentFile,
    extract_part,
    read_pack,
    read_pack_content,
    write_pack,
)


@pytest.fixture(scope="module")
def pack(tiny_student: Path) -> PartPack:
    with StudentFile.open(tiny_student) as file:
        return extract_part(file, "adapters.sam", version="2026-11")


@pytest.fixture
def path(pack: PartPack, tmp_path: Path) -> Path:
    write_pack(tmp_path / "sam.safetensors", pack.manifest, pack.tensors)
    return tmp_path / "sam.safetensors"


def test_a_pack_survives_the_file(pack: PartPack, path: Path, tiny_student: Path) -> None:
    read = read_pack(path)
    assert read.manifest == pack.manifest
    assert read.manifest.version == "2026-11"
    assert read.tensors.keys() == pack.tensors.keys()
    for name, tensor in read.tensors.items():
        assert np.array_equal(tensor, pack.tensors[name]) and not tensor.flags.writeable
    with StudentFile.open(tiny_student) as file:
        read.check_fits(file.manifest)
        assert read.manifest.digest == file.manifest.digests["adapters.sam"]


def test_a_pack_in_memory_is_read_as_its_file_is(path: Path) -> None:
    content = bytearray(path.read_bytes())
    read, other = read_pack_content(memoryview(content), path.name), read_pack(path)
    assert read.manifest == other.manifest and read.file_digest == other.file_digest
    for name, tensor in read.tensors.items():
        assert np.array_equal(tensor, other.tensors[name]) and not tensor.flags.writeable
    content[-1] ^= 1
    with pytest.raises(DigestError, match=r"sam\.safetensors was changed"):
        read_pack_content(memoryview(content), path.name)


def test_the_safetensors_package_reads_what_we_write(pack: PartPack, path: Path) -> None:
    theirs = safetensors.numpy.load_file(path)
    assert theirs.keys() == pack.tensors.keys()
    assert all(np.array_equal(theirs[name], pack.tensors[name]) for name in theirs)
    with safetensors.safe_open(path, "np") as file:
        assert json.loads(file.metadata()["sakedge"])["name"] == "sam"


def test_we_read_what_the_safetensors_package_writes(pack: PartPack, tmp_path: Path) -> None:
    path = tmp_path / "theirs.safetensors"
    safetensors.numpy.save_file(
        dict(pack.tensors), path, metadata={"sakedge": pack.manifest.model_dump_json()}
    )
    read = read_pack(path)
    assert all(np.array_equal(read.tensors[name], pack.tensors[name]) for name in read.tensors)


def test_a_pack_for_an_unseen_teacher_brings_router_rows(pack: PartPack, tmp_path: Path) -> None:
    manifest = pack.manifest.model_copy(update={"routed_tasks": ("edge",)})
    tensors = dict(pack.tensors)
    for level in manifest.levels:
        tensors[f"mor.{level}.edge.gate.weight"] = np.ones((24, 1), np.float32)
        tensors[f"mor.{level}.edge.gate.bias"] = np.ones(1, np.float32)
    write_pack(tmp_path / "new.safetensors", manifest, tensors)
    read = read_pack(tmp_path / "new.safetensors")
    assert read.tensors["mor.3.edge.gate.weight"].shape == (24, 1)
    with pytest.raises(TensorError, match=r"mor\.\d\.edge\.gate"):
        write_pack(tmp_path / "new.safetensors", manifest, pack.tensors)


def test_a_pack_for_another_student_is_refused_unless_allowed(
    pack: PartPack, tiny_student: Path
) -> None:
    with StudentFile.open(tiny_student) as file:
        student = file.manifest
    other = student.model_copy(
        update={"stem_lineage": "0" * 64, "digests": {**student.digests, "stem": "0" * 64}}
    )
    with pytest.raises(AdapterMismatchError, match="another stem"):
        pack.check_fits(other)
    pack.check_fits(other, any_stem=True)
    wider = student.model_copy(
        update={"architecture": student.architecture.model_copy(update={"width": 96})}
    )
    with pytest.raises(AdapterMismatchError, match="width; expected 96; got 48"):
        pack.check_fits(wider, any_stem=True)


@pytest.mark.parametrize("component", ["adapters.clip", "stem", "sam"])
def test_an_unknown_part_lists_what_there_is(tiny_student: Path, component: str) -> None:
    with (
        StudentFile.open(tiny_student) as file,
        pytest.raises(UnknownNameError, match=r"one of adapters\.dino, adapters\.sam, routers"),
    ):
        extract_part(file, component)


def _header(path: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    """Rewrites the header with an edit; offsets count from its end, so the values stay."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    edit(header)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])


def _manifest(edit: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    def rewrite(header: dict[str, Any]) -> None:
        manifest = json.loads(header["__metadata__"]["sakedge"])
        edit(manifest)
        header["__metadata__"]["sakedge"] = json.dumps(manifest)

    return rewrite


BIAS = "tsap.sam.0.up.bias"


@pytest.mark.parametrize(
    ("edit", "error", "reason"),
    [
        (lambda h: h.pop("__metadata__"), ManifestError, "not a part pack"),
        (lambda h: h[BIAS].update(shape=[6, 8]), TensorError, "contradicts the manifest"),
        (lambda h: h[BIAS].update(shape=[47]), FileFormatError, "not a valid safetensors"),
        (lambda h: h[BIAS].update(shape=[-1]), FileFormatError, "not a valid safetensors"),
        (lambda h: h[BIAS].update(shape=[0, 10**30]), FileFormatError, "not a valid safetensors"),
        (lambda h: h[BIAS].update(data_offsets=[0]), FileFormatError, "not a valid safetensors"),
        (lambda h: h.update({BIAS: {"a": "b"}}), FileFormatError, "not a valid safetensors"),
        (
            lambda h: h[BIAS].update(data_offsets=[10**9, 10**9 + 192]),
            FileFormatError,
            "not a valid safetensors",
        ),
        (_manifest(lambda m: m.update(format_version=7)), NewerFormatError, "version 7"),
        (_manifest(lambda m: m.update(name="../x")), ManifestError, "name"),
        (_manifest(lambda m: m.update(digest="0" * 64)), DigestError, "changed or damaged"),
        (_manifest(lambda m: m.update(hidden=13)), TensorError, "contradicts the manifest"),
        (_manifest(lambda m: m.update(name="dino")), TensorError, "lacks tensor"),
        (_manifest(lambda m: m.update(kind="stem")), ManifestError, "kind"),
        (_manifest(lambda m: m.update(kind="head")), ManifestError, "kind head cannot have"),
        (_manifest(lambda m: m.update(hidden=None)), ManifestError, "kind adapter needs 'hidden'"),
        (_manifest(lambda m: m.update(experts=["a"])), ManifestError, "cannot have 'experts'"),
        (_manifest(lambda m: m.update(requires=["x"])), UnsupportedFeatureError, "feature 'x'"),
        (_manifest(lambda m: m.update(format_version=1)), ManifestError, "stem_digest is missing"),
    ],
)
def test_a_malformed_pack_is_refused(
    path: Path, edit: Callable[[dict[str, Any]], None], error: type[FileFormatError], reason: str
) -> None:
    _header(path, edit)
    with pytest.raises(error, match=reason):
        read_pack(path)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda t: t.pop(BIAS), f"lacks tensor {BIAS}"),
        (lambda t: t.update(more=t[BIAS]), "surplus tensor more"),
        (lambda t: t.update({BIAS: t[BIAS].astype(np.int64)}), "got dtype I64"),
    ],
)
def test_a_pack_of_other_tensors_is_refused(
    path: Path, edit: Callable[[dict[str, Any]], None], reason: str
) -> None:
    with safetensors.safe_open(path, "np") as file:
        metadata = file.metadata()
    tensors = safetensors.numpy.load_file(path)
    edit(tensors)
    safetensors.numpy.save_file(tensors, path, metadata)
    with pytest.raises(TensorError, match=reason):
        read_pack(path)


def test_what_is_no_safetensors_file_is_refused(path: Path) -> None:
    whole = path.read_bytes()
    for content, error in (
        (b"", FileFormatError),
        (b"hello world, I am text", FileFormatError),
        (whole[:5], FileFormatError),
        (whole[:100], TruncatedFileError),
        (whole[:-1], TruncatedFileError),
        (whole + b"more", TruncatedFileError),
        (b"\xff" * 8 + whole[8:], FileFormatError),
    ):
        path.write_bytes(content)
        with pytest.raises(error):
            read_pack(path)


def test_a_changed_byte_is_found(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DigestError):
        read_pack(path)


def test_nan_and_missing_rights_are_refused(pack: PartPack, tmp_path: Path, path: Path) -> None:
    tensors = {**pack.tensors, BIAS: np.full_like(pack.tensors[BIAS], np.nan)}
    with pytest.raises(TensorError, match="NaN"):
        write_pack(tmp_path / "nan.safetensors", pack.manifest, tensors)
    with without_rights(path), pytest.raises(StorageError, match="rights"):
        read_pack(path)
    with pytest.raises(StorageError, match="a folder"):
        read_pack(tmp_path)
