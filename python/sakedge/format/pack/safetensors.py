"""Reads and writes safetensors files through the safetensors package, under our own errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from sakedge.errors import FileFormatError, TensorError, TruncatedFileError
from sakedge.files.atomic import atomic_write
from sakedge.files.mapped import MappedFile
from sakedge.files.targets import followed

_DTYPES = {"F32", "F16"}
# The package distinguishes causes by text alone.
_WRONG_LENGTH = ("invalid header length", "file not fully covered")


@dataclass(frozen=True)
class SafeTensors:
    """What a safetensors file holds: its metadata and its tensors."""

    metadata: Mapping[str, str]
    tensors: Mapping[str, NDArray[Any]]


def read_safetensors(path: Path) -> SafeTensors:
    """Reads a safetensors file of float32 and float16 tensors.

    Raises:
        StorageError: The file cannot be read.
        TruncatedFileError: It does not end where its header says it should.
        TensorError: A tensor has another dtype.
        FileFormatError: It is not a safetensors file.
    """
    MappedFile(path).close()  # raises our own errors for an unusable path
    try:
        with safe_open(path, framework="np") as file:
            tensors = {}
            for name in sorted(file.keys()):
                dtype = file.get_slice(name).get_dtype()
                if dtype not in _DTYPES:
                    raise TensorError(
                        f"tensor {name} of {path.name} cannot be used",
                        expected=f"dtype {' or '.join(sorted(_DTYPES))}",
                        got=f"dtype {dtype}",
                    )
                tensor = file.get_tensor(name)
                tensor.flags.writeable = False
                tensors[name] = tensor
            return SafeTensors(file.metadata() or {}, tensors)
    except SafetensorError as error:
        if any(text in str(error) for text in _WRONG_LENGTH):
            raise TruncatedFileError(
                f"{path.name} does not end where its header says: {error}", remedy="Copy it again"
            ) from error
        raise FileFormatError(f"{path.name} is not a valid safetensors file: {error}") from error


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
