"""The headers of safetensors files: every byte is one tensor's, and no header is believed."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from sakedge.errors import FileFormatError, TensorError, TruncatedFileError
from sakedge.files.mapped import MappedFile
from sakedge.format.pack.safetensors import (
    MAX_HEADER,
    MAX_TENSORS,
    SafeTensors,
    read_safetensors,
)

NONE = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}


def _file(folder: Path, header: Any, values: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path = folder / "x.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + values)
    return path


def _read(path: Path) -> SafeTensors:
    return read_safetensors(MappedFile(path).data, path.name)


def _tensor(begin: int, end: int, shape: list[Any], dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_what_the_package_writes_is_read_alike(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    tensors = {
        "b": rng.standard_normal((3, 5)).astype(np.float16),
        "a": rng.standard_normal((2, 1, 4)).astype(np.float32),
        "scalar": np.array(3, np.float32),
        "none": np.zeros((0, 4), np.float32),
    }
    path = tmp_path / "x.safetensors"
    save_file(tensors, path, {"key": "value é"})
    found = _read(path)
    assert found.metadata == {"key": "value é"}
    assert found.tensors.keys() == tensors.keys()
    for name, theirs in load_file(path).items():
        ours = found.tensors[name]
        assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
        assert np.array_equal(ours, theirs) and not ours.flags.writeable


def test_a_file_without_metadata_or_tensors_is_one(tmp_path: Path) -> None:
    found = _read(_file(tmp_path, {}))
    assert found.metadata == {} and found.tensors == {}


@pytest.mark.parametrize(
    ("header", "values", "reason"),
    [
        ([], 0, "no JSON object"),
        (b"{" * 5000, 0, "not a valid"),
        (b'{"a":{"x":NaN}}', 0, "NaN"),
        (b'{"a":1,"a":1}', 0, "a key twice"),
        (b"\xff", 0, "utf-8"),
        ({"__metadata__": {"a": 1}}, 0, "not texts"),
        ({"__metadata__": "a"}, 0, "not texts"),
        ({"__metadata__": None}, 0, "not texts"),
        ({"a": _tensor(0, 4, [2])}, 4, "do not fit its shape"),
        ({"a": _tensor(4, 0, [1])}, 4, "do not fit its shape"),
        ({"a": _tensor(0, 4, [-1])}, 4, "impossible"),
        ({"a": _tensor(0, 4, [True])}, 4, "impossible"),
        ({"a": _tensor(0, 4, [1.0])}, 4, "impossible"),
        ({"a": _tensor(0, 0, [0, 10**30])}, 4, "impossible"),
        ({"a": _tensor(0, 4, [1] * 40)}, 4, "impossible"),
        ({"a": _tensor(0, 1 << 39, [1 << 37])}, 4, "impossible"),
        ({"a": {**NONE, "shape": 4}}, 0, "no dtype, shape"),
        ({"a": {**NONE, "data_offsets": [0]}}, 0, "no dtype, shape"),
        ({"a": {**NONE, "dtype": 1}}, 0, "no dtype, shape"),
        ({"a": None}, 0, "no dtype, shape"),
        ({"a": _tensor(0, 4, [1]), "b": _tensor(0, 4, [1])}, 4, "begins at byte 0, not at 4"),
        ({"a": _tensor(0, 8, [2]), "b": _tensor(4, 12, [2])}, 12, "begins at byte 4, not at 8"),
        ({"a": _tensor(0, 4, [1]), "b": _tensor(8, 12, [1])}, 12, "begins at byte 8, not at 4"),
        ({"a": _tensor(4, 8, [1])}, 8, "begins at byte 4, not at 0"),
        ({f"{i}": NONE for i in range(MAX_TENSORS + 1)}, 0, "keys, more than"),
    ],
)
def test_a_header_that_is_none_is_refused(
    tmp_path: Path, header: Any, values: int, reason: str
) -> None:
    with pytest.raises(FileFormatError, match=reason) as caught:
        _read(_file(tmp_path, header, bytes(values)))
    assert len(str(caught.value)) < 2500


def test_a_file_that_is_longer_or_shorter_than_its_header_says_is_refused(tmp_path: Path) -> None:
    header = {"a": _tensor(0, 8, [2])}
    for values in (7, 9, 0):
        with pytest.raises(TruncatedFileError, match="does not end"):
            _read(_file(tmp_path, header, bytes(values)))
    huge = {"a": _tensor(0, 1 << 31, [1 << 29])}
    with pytest.raises(TruncatedFileError, match="does not end"):
        _read(_file(tmp_path, huge, bytes(8)))


def test_a_header_of_any_length_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    for length in (MAX_HEADER + 1, 2**63, 2**64 - 1):
        path.write_bytes(struct.pack("<Q", length) + b"{}")
        with pytest.raises(FileFormatError, match="more than"):
            _read(path)
    path.write_bytes(struct.pack("<Q", 100) + b"{}")
    with pytest.raises(TruncatedFileError, match="ends in its header"):
        _read(path)


def test_other_dtypes_are_named(tmp_path: Path) -> None:
    for dtype in ("BF16", "F64", "U8", "F8_E4M3", "x" * 9999):
        with pytest.raises(TensorError, match="dtype F16 or F32 or I8; got dtype") as caught:
            _read(_file(tmp_path, {"a": _tensor(0, 8, [4], dtype)}, bytes(8)))
        assert len(str(caught.value)) < 2500
