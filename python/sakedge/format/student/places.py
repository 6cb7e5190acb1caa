"""Where a student's weights lie: in its own file, or in one data file beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sakedge.errors import TensorError, TruncatedFileError, UnsafePathError
from sakedge.files.mapped import MappedFile
from sakedge.files.paths import file_path
from sakedge.format.onnx.scan import StoredTensor
from sakedge.format.onnx.serialize import TensorSpec

_MAX_PADDING = 1 << 16
"""Bytes between two tensors of a data file: the coarsest alignment that ONNX's tools write."""


class Places:
    """The file that holds each tensor's values and the byte they begin at, checked.

    Args:
        model: The student's file.
        stored: What it states of its tensors, by name.
        specs: The tensors that it must hold, with their sizes.

    Attributes:
        data: The data file, if the weights lie outside.

    Raises:
        UnsafePathError: The data file is not one beside the student.
        StorageError: It is missing or cannot be read.
        TruncatedFileError: It ends too early.
        TensorError: A tensor's place is invalid or shared, or bytes lie between them that no
            digest covers.
    """

    def __init__(
        self, model: MappedFile, stored: Mapping[str, StoredTensor], specs: Iterable[TensorSpec]
    ) -> None:
        self.data: MappedFile | None = None
        self._model = model
        self._places: dict[str, tuple[MappedFile, int]] = {}
        outside: list[tuple[int, int, str]] = []
        for spec in specs:
            tensor = stored[spec.name]
            if tensor.values is not None:
                self._places[spec.name] = model, tensor.values.start
                continue
            self.data = self._data_file(tensor.external.get("location", ""))
            start, end = self._extent(tensor, spec)
            self._places[spec.name] = self.data, start
            outside.append((start, end, spec.name))
        if self.data is not None:
            _check_layout(self.data, sorted(outside))

    def __getitem__(self, tensor: str) -> tuple[MappedFile, int]:
        return self._places[tensor]

    @property
    def files(self) -> tuple[MappedFile, ...]:
        """The file itself, and its data file if it has one."""
        return (self._model,) if self.data is None else (self._model, self.data)

    def _data_file(self, location: str) -> MappedFile:
        folder, name = self._model.path.parent, self._model.path.name
        plain = location not in ("", ".", "..") and not set(location) & set("/\\:\0")
        if not plain:
            raise UnsafePathError(
                f"{name} keeps weights under a path that leaves its folder",
                expected="a plain file name",
                got=repr(location),
                remedy="Do not use this file",
            )
        if self.data is None:
            return MappedFile(file_path("the data file", folder / location), may_be_link=False)
        if self.data.path.name != location:
            raise TensorError(
                f"{name} keeps its weights in two files",
                expected=self.data.path.name,
                got=location,
            )
        return self.data

    def _extent(self, tensor: StoredTensor, spec: TensorSpec) -> tuple[int, int]:
        """First byte and end of a tensor's values in the data file."""
        assert self.data is not None
        name, whole = self.data.path.name, len(self.data.data)
        texts = [tensor.external.get("offset", "0"), tensor.external.get("length", "")]
        if not all(text.isascii() and text.isdigit() and len(text) < 20 for text in texts):
            raise TensorError(f"tensor {spec.name} states no valid offset and length in {name}")
        offset, length = (int(text) for text in texts)
        if length != spec.nbytes:
            raise TensorError(
                f"tensor {spec.name} of {self._model.path.name} has values of the wrong length",
                expected=f"{spec.nbytes} bytes",
                got=f"{length}",
            )
        if offset + length > whole:
            raise TruncatedFileError(
                f"{name} is truncated: it ends at byte {whole}, but tensor {spec.name} at "
                f"{offset + length}",
                remedy="Copy or download it again",
            )
        return offset, offset + length


def _check_layout(file: MappedFile, extents: list[tuple[int, int, str]]) -> None:
    """Checks that every byte of a data file is one tensor's, or padding."""
    at, before = 0, "its beginning"
    for start, end, name in [*extents, (len(file.data), len(file.data), "its end")]:
        if start < at:
            raise TensorError(
                f"{before} and {name} share bytes of {file.path.name}",
                expected="a place of its own for every tensor",
                remedy="Do not use this file",
            )
        if start - at > _MAX_PADDING or any(file.data[at:start]):
            raise TensorError(
                f"{file.path.name} holds bytes that belong to no tensor, between {before} and "
                f"{name}",
                expected=f"nothing but zeros, at most {_MAX_PADDING}",
                got=f"{start - at} bytes",
                remedy="Copy or convert the student again",
            )
        at, before = end, name
