"""Reads student.onnx: everything is checked, and only what is asked for is read."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

from numpy.typing import NDArray

from sakedge.errors import DigestError, StorageError, UnknownNameError
from sakedge.files.mapped import MappedFile
from sakedge.files.paths import file_path
from sakedge.files.sparing import sparing
from sakedge.format.digest import component_digest
from sakedge.format.onnx.scan import scan_model
from sakedge.format.onnx.serialize import TensorSpec
from sakedge.format.parse import parse
from sakedge.format.student.contents import (
    check_interface,
    check_tensors,
    manifest_fields,
    onnx_versions,
)
from sakedge.format.student.cuts import stem_cut
from sakedge.format.student.digests import content_digest, file_digest
from sakedge.format.student.exported import GraphForm, exported_graph
from sakedge.format.student.manifest import STUDENT, Manifest
from sakedge.format.student.nodes import read_nodes
from sakedge.format.student.places import Places
from sakedge.format.student.stem import float_stem
from sakedge.format.student.subgraph import Subgraph, cut
from sakedge.format.values import check_values


class StudentFile:
    """A validated student file, mapped. Made by `StudentFile.open`, or of what is mapped already.

    Weights are read, and their digests and values checked, when their component is asked for.
    Tensors are views of the mapped file: they stay valid after `close`, and while the file is
    replaced by another (which keeps the old one's content), but not while someone writes into it.

    Attributes:
        path: The file.
        format_version: Version that the file states.
        manifest: Its manifest, upgraded to the newest version.
        opset: Version of the operator set that its graph imports.
        ir_version: Version of the ONNX format that it states.
        content_digest: SHA-256 of what decides the outputs, see `digests.content_digest`.
        file_digest: SHA-256 of everything in the file, see `digests.file_digest`.
    """

    def __init__(self, path: Path, file: MappedFile | None = None) -> None:
        self.path = path
        self._file = MappedFile(path) if file is None else file
        # The scan hops from one tensor's header to the next: the weights between stay unread.
        self._file.advise("RANDOM")
        data, name = self._file.data, path.name
        scan = scan_model(data, name)
        fields = manifest_fields(data, scan, name)
        self.format_version: int = fields["format_version"]
        self.manifest: Manifest = parse(STUDENT, fields, name)
        self.opset, self.ir_version = onnx_versions(scan, name)
        self._specs = check_tensors(scan, self.manifest, name)
        check_interface(data, scan, self.manifest, name)
        self._nodes = read_nodes(data, scan, self.manifest, name)
        every = (spec for specs in self._specs.values() for spec in specs)
        self._places = Places(self._file, scan.tensors, every)
        self.content_digest = content_digest(self.manifest, self.opset, self.ir_version)
        self.file_digest = file_digest(data, scan)
        self._closed = False
        self._file.advise("DONTNEED")
        self._file.advise("NORMAL")

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> StudentFile:
        """Opens and validates a student file without reading its weights.

        Raises:
            StorageError: The file, or its data file, is missing or cannot be read.
            FileFormatError: It is not a student, or is damaged; the subclass names the cause.
            OptionError: `path` is no path.
        """
        return cls(file_path("a student", path))

    @property
    def files(self) -> tuple[Path, ...]:
        """The file itself, and the one that holds its weights if they lie outside."""
        return tuple(file.path for file in self._places.files)

    def component(self, name: str) -> dict[str, NDArray[Any]]:
        """Reads one component, e.g. `stem`, `adapters.sam`, `routers.edge` or `heads.edge`.

        Returns:
            Its tensors by canonical name, float32, float16 or int8 (see `int8.py`), read-only.

        Raises:
            UnknownNameError: The student has no such component.
            StorageError: The file is closed, or was cut short since it was opened.
            DigestError: Its bytes are not those that the manifest was written for.
            TensorError: A value is NaN, infinite or too large to be used.
        """
        if self._closed:
            raise StorageError(f"{self.path.name} is closed")
        if name not in self._specs:
            raise UnknownNameError(
                f"{self.path.name} has no component {name!r}",
                expected=f"one of {', '.join(self._specs)}",
            )
        for file in self._places.files:
            file.check_length()
        tensors = {spec.name: self._tensor(spec) for spec in self._specs[name]}
        found = component_digest(tensors)
        if found != self.manifest.digests[name]:
            raise DigestError(
                f"component {name} of {self.path.name} was changed or damaged",
                expected=f"SHA-256 {self.manifest.digests[name]}",
                got=found,
                remedy="Copy or convert the student again",
            )
        for key, tensor in tensors.items():
            check_values(name, key, tensor, self.path.name)
        return tensors

    def stem(self, *, floats: bool = False) -> Subgraph:
        """Reads the stem and cuts its graph out of the student's.

        Args:
            floats: Whether a stem that is stored as int8 is wanted in float32: the same weights,
                and inputs that are not rounded.

        Raises:
            ManifestError: The graph does not compute the stem's outputs.
            DigestError, TensorError: As for `component`.
        """
        where, tensors = stem_cut(self.manifest), self.component("stem")
        if floats and self.manifest.storage.stem == "int8":
            return float_stem(self.manifest, tensors)
        return cut(where, self._nodes, self.manifest, self._specs["stem"], tensors)

    def exported(self, form: GraphForm) -> Subgraph:
        """Reads what a graph of another form is made of, and writes that graph.

        Raises:
            UnknownNameError: The student has no such adapter or task.
            DigestError, TensorError: As for `component`.
        """
        components = {name: self.component(name) for name in form.components(self.manifest)}
        return exported_graph(self.manifest, components, form)

    def release(self) -> None:
        """Releases the memory of what was read so far; what is touched again is read again."""
        for file in self._places.files:
            file.advise("DONTNEED")

    def sparing(self) -> AbstractContextManager[None]:
        """Releases what was read soon after, while the block runs."""
        return sparing(self.release)

    def close(self) -> None:
        """Closes the file. Tensors already given out stay valid."""
        self._closed = True
        for file in self._places.files:
            file.close()

    def __enter__(self) -> StudentFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _tensor(self, spec: TensorSpec) -> NDArray[Any]:
        file, start = self._places[spec.name]
        return file.tensor(spec.dtype, spec.shape, start)
