"""Reads and writes safetensors files: a header in JSON, then the tensors' bytes without a gap.

Format: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray
from safetensors.numpy import save

from sakedge.errors import FileFormatError, TensorError, TruncatedFileError
from sakedge.files.atomic import atomic_write
from sakedge.files.mapped import tensor_view
from sakedge.files.targets import followed
from sakedge.format.strict_json import loads

MAX_HEADER = 1 << 22
"""Bytes of the header: the manifest, and some 100 for each tensor."""
MAX_TENSORS = 1 << 14
MAX_DIMS = 8
MAX_SIZE = 1 << 32
"""Of a side, and of an offset in bytes."""

_METADATA = "__metadata__"
_LENGTH = 8
"""Bytes before the header, which say how long it is."""
_DTYPES = {"F32": ("float32", 4), "F16": ("float16", 2), "I8": ("int8", 1)}


@dataclass(frozen=True)
class SafeTensors:
    """What a safetensors file holds: its metadata and its tensors."""

    metadata: Mapping[str, str]
    tensors: Mapping[str, NDArray[Any]]


def read_safetensors(data: memoryview, name: str) -> SafeTensors:
    """Reads a safetensors file of float32, float16 and int8 tensors, which are views of its bytes.

    Args:
        data: The whole file, read-only.
        name: What to call it in errors.

    Raises:
        TruncatedFileError: It does not end where its header says it should.
        TensorError: A tensor has another dtype.
        FileFormatError: It is not a safetensors file.
    """
    metadata, entries = read_header(data, name)
    tensors = {
        entry.name: tensor_view(data, entry.dtype, entry.shape, entry.begin) for entry in entries
    }
    return SafeTensors(metadata, tensors)


def read_header(data: memoryview, name: str) -> tuple[dict[str, str], list[Entry]]:
    """The metadata of a safetensors file, and its tensors in the order of the file.

    Raises:
        FileFormatError: As for `read_safetensors`.
    """
    try:
        header, start = _header(data, name)
        metadata = _metadata(header.pop(_METADATA, {}))
        entries = sorted(_entry(key, entry, start, name) for key, entry in header.items())
        _check_no_gaps(entries, start)
    except ValueError as error:
        problem = f"{name} is not a valid safetensors file: {error}"
        raise FileFormatError(problem) from None
    end = entries[-1].end if entries else start
    if end != len(data):
        raise TruncatedFileError(
            f"{name} does not end where its header says",
            expected=f"{end} bytes",
            got=str(len(data)),
            remedy="Copy it again",
        )
    return metadata, entries


class Entry(NamedTuple):
    """A tensor as the header states it: bytes `begin` to `end` - 1 of the file."""

    begin: int
    end: int
    name: str
    dtype: str
    shape: tuple[int, ...]


def _header(data: memoryview, name: str) -> tuple[dict[str, Any], int]:
    """The header, and the byte at which the tensors begin."""
    length = int.from_bytes(data[:_LENGTH], "little")
    start = _LENGTH + length
    if len(data) < _LENGTH:
        raise ValueError(f"it has {len(data)} bytes")
    if length > MAX_HEADER:
        raise ValueError(f"its header has {length} bytes, more than {MAX_HEADER}")
    if start > len(data):
        raise TruncatedFileError(
            f"{name} ends in its header",
            expected=f"at least {start} bytes",
            got=str(len(data)),
            remedy="Copy it again",
        )
    header = loads(data[_LENGTH:start], most_bytes=MAX_HEADER, most_keys=MAX_TENSORS)
    if not isinstance(header, dict):
        raise ValueError("its header is no JSON object")
    return header, start


def _metadata(found: Any) -> dict[str, str]:
    if isinstance(found, dict) and all(isinstance(value, str) for value in found.values()):
        return found
    raise ValueError("its metadata are not texts by name")


def _entry(name: str, entry: Any, start: int, file: str) -> Entry:
    match entry:
        case {"dtype": str(kind), "shape": [*shape], "data_offsets": [begin, end]}:
            numbers = [*shape, begin, end]
        case _:
            raise ValueError(f"tensor {name} has no dtype, shape and two offsets")
    if len(shape) > MAX_DIMS or not all(map(_is_size, numbers)):
        raise ValueError(f"tensor {name} has an impossible shape or place")
    if kind not in _DTYPES:
        raise TensorError(
            f"tensor {name} of {file} cannot be used",
            expected=f"dtype {' or '.join(sorted(_DTYPES))}",
            got=f"dtype {kind}",
        )
    dtype, size = _DTYPES[kind]
    if end - begin != size * math.prod(shape):
        raise ValueError(f"tensor {name} has {end - begin} bytes, which do not fit its shape")
    return Entry(start + begin, start + end, name, dtype, tuple(shape))


def _check_no_gaps(entries: list[Entry], start: int) -> None:
    at = start
    for entry in entries:
        if entry.begin != at:
            raise ValueError(
                f"tensor {entry.name} begins at byte {entry.begin - start}, not at {at - start}"
            )
        at = entry.end


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SIZE


def write_safetensors(
    path: Path, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]
) -> None:
    """Writes tensors; the file is replaced atomically.

    Raises:
        StorageError: The file cannot be written.
    """
    content = save(dict(tensors), dict(metadata))
    with atomic_write(followed(path)) as file:
        file.write(content)
