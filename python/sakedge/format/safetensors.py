"""Reads and writes safetensors files: a JSON header, then the tensors' bytes.

Own code rather than the safetensors package, so that an adapter can be exchanged on a machine
that has only sakedge's own dependencies; the tests hold the two against each other.
Source: https://github.com/huggingface/safetensors (format)
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError
from pydantic_core import to_json

from sakedge.errors import FileFormatError, TensorError, TruncatedFileError
from sakedge.format.atomic import atomic_write
from sakedge.format.digest import as_bytes
from sakedge.format.mapped import MappedFile
from sakedge.format.serialize import ALIGNMENT

MAX_HEADER = 100_000_000  # the format's own limit
_METADATA = "__metadata__"
_NAMES = {"F32": "float32", "F16": "float16"}
_CODES = {name: code for code, name in _NAMES.items()}

# Bounds that numpy's own arithmetic keeps to; what lies in the file is checked against its length.
Size = Annotated[int, Field(ge=0, lt=2**31)]
Offset = Annotated[int, Field(ge=0, lt=2**62)]


class _Tensor(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    dtype: str
    shape: list[Size] = Field(max_length=8)
    data_offsets: tuple[Offset, Offset]


class _Header(RootModel[dict[str, _Tensor | dict[str, str]]]):
    pass


@dataclass(frozen=True)
class SafeTensors:
    """What a safetensors file holds: its metadata, and its tensors as views of the file."""

    metadata: Mapping[str, str]
    tensors: Mapping[str, NDArray[Any]]


def read_safetensors(path: Path) -> SafeTensors:
    """Maps a safetensors file of float32 and float16 tensors.

    Raises:
        StorageError: The file cannot be read.
        TruncatedFileError: It ends before its header says it should.
        TensorError: A tensor's dtype, shape and place contradict each other.
        FileFormatError: It is no safetensors file.
    """
    file = MappedFile(path)
    size = len(file.data)
    if size < 8:
        raise FileFormatError(f"{path.name} is no safetensors file: it has {size} bytes")
    (length,) = struct.unpack("<Q", file.data[:8])
    if length > MAX_HEADER or bytes(file.data[8:9]) != b"{":
        raise FileFormatError(f"{path.name} is no safetensors file: it has no header")
    start = 8 + length
    if start > size:
        raise TruncatedFileError(f"{path.name} is truncated: its header ends after it")
    try:
        header = _Header.model_validate_json(bytes(file.data[8:start])).root
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"]
        raise FileFormatError(f"the header of {path.name} is not valid: {reason}") from error
    metadata = header.pop(_METADATA, {})
    if isinstance(metadata, _Tensor):
        raise FileFormatError(f"the header of {path.name} has a tensor for its metadata")
    tensors, end = {}, 0
    for name, tensor in header.items():
        if isinstance(tensor, dict):
            raise FileFormatError(f"the header of {path.name} has no tensor under {name!r}")
        begin, stop = tensor.data_offsets
        dtype = _NAMES.get(tensor.dtype)
        if dtype is None:
            raise TensorError(f"tensor {name} of {path.name} has dtype {tensor.dtype}")
        shape = tuple(tensor.shape)
        nbytes = math.prod(shape) * np.dtype(dtype).itemsize
        if stop - begin != nbytes:
            raise TensorError(f"tensor {name} of {path.name} has values of the wrong length")
        if start + stop > size:
            raise TruncatedFileError(
                f"{path.name} is truncated: it ends at byte {size}, tensor {name} at {start + stop}"
            )
        end = max(end, stop)
        tensors[name] = file.tensor(dtype, shape, start + begin)
    if start + end != size:
        raise FileFormatError(f"{path.name} goes on for {size - start - end} bytes after its end")
    return SafeTensors(metadata, tensors)


def write_safetensors(
    path: Path, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]
) -> None:
    """Writes tensors in ascending order of name; replaced whole or not at all.

    Raises:
        StorageError: The file cannot be written.
    """
    header: dict[str, Any] = {_METADATA: dict(metadata)}
    at = 0
    for name in sorted(tensors):
        tensor = tensors[name]
        header[name] = {
            "dtype": _CODES[tensor.dtype.name],
            "shape": list(tensor.shape),
            "data_offsets": [at, at + tensor.nbytes],
        }
        at += tensor.nbytes
    text = to_json(header)
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    with atomic_write(path) as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in sorted(tensors):
            file.write(as_bytes(tensors[name]))
