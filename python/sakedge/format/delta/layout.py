"""Where the tensors of a file lie, of whatever kind the file is."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sakedge.errors import SakedgeError
from sakedge.files.mapped import MappedFile
from sakedge.format.delta.planes import Width
from sakedge.format.onnx.scan import StoredTensor, scan_model
from sakedge.format.pack.safetensors import read_header


class Extent(NamedTuple):
    """A tensor's bytes, from `start` to `end` - 1, and how many of them are a word."""

    start: int
    end: int
    width: Width

    @property
    def size(self) -> tuple[int, int]:
        """Its bytes, and those of a word."""
        return self.end - self.start, self.width


Extents = dict[str, Extent]


def extents(file: MappedFile) -> Extents:
    """Extents of a file's tensors by name, in the order of the file; none share a byte.

    Empty for a file that is no safetensors file, no ONNX model, and no data file beside a model:
    it is compared byte by byte.
    """
    found: Extents = {}
    at = 0
    for extent, name in sorted((extent, name) for name, extent in _found(file).items()):
        if at <= extent.start < extent.end <= len(file.data):
            found[name] = extent
            at = extent.end
    return found


def _found(file: MappedFile) -> Extents:
    data, name = file.data, file.path.name
    with suppress(SakedgeError):
        _, entries = read_header(data, name)
        return {e.name: Extent(e.begin, e.end, _width(e.dtype)) for e in entries}
    with suppress(SakedgeError):
        tensors = scan_model(data, name).tensors.values()
        return {t.name: Extent(*t.values, _width(t.dtype)) for t in tensors if t.values}
    return _outside(file.path)


def _outside(path: Path) -> Extents:
    """Those of a file that holds a model's weights, by the model beside it."""
    if path.suffix == ".data":
        for model in sorted(path.parent.glob("*.onnx")):
            with suppress(SakedgeError):
                tensors = scan_model(MappedFile(model).data, model.name).tensors.values()
                found = dict(_external(tensors, path.name))
                if found:
                    return found
    return {}


def _external(tensors: Iterable[StoredTensor], location: str) -> Iterable[tuple[str, Extent]]:
    for tensor in tensors:
        place = tensor.external
        if place.get("location") == location:
            with suppress(KeyError, ValueError):  # a damaged model: then its tensors are bytes
                start, length = int(place["offset"]), int(place["length"])
                yield tensor.name, Extent(start, start + length, _width(tensor.dtype))


def _width(dtype: str) -> Width:
    with suppress(TypeError):  # a type that NumPy does not have
        match np.dtype(dtype).itemsize:
            case 2:
                return 2
            case 4:
                return 4
    return 1
