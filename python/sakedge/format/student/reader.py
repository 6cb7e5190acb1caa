"""Reads student.onnx: everything is checked, and only what is asked for is read."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.arguments import pick
from sakedge.errors import (
    DigestError,
    OptionError,
    StorageError,
    TensorError,
    TruncatedFileError,
    UnknownNameError,
    UnknownTaskError,
    UnsafePathError,
)
from sakedge.files.mapped import MappedFile
from sakedge.files.sparing import sparing
from sakedge.format.digest import component_digest
from sakedge.format.onnx.scan import StoredTensor, scan_model
from sakedge.format.onnx.serialize import TensorSpec
from sakedge.format.parse import parse
from sakedge.format.student.contents import (
    check_interface,
    check_tensors,
    manifest_fields,
    onnx_versions,
    read_nodes,
)
from sakedge.format.student.cuts import Cut, stem_cut, whole_cut
from sakedge.format.student.digests import content_digest, file_digest
from sakedge.format.student.manifest import STUDENT, Manifest
from sakedge.format.student.subgraph import Subgraph, cut


class StudentFile:
    """A validated student file, mapped. Made by `StudentFile.open`.

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

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = MappedFile(path)
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
        self._external: MappedFile | None = None
        self._places = {
            spec.name: self._place(scan.tensors[spec.name], spec)
            for specs in self._specs.values()
            for spec in specs
        }
        self.content_digest = content_digest(self.manifest, self.opset, self.ir_version)
        self.file_digest = file_digest(data, scan)
        self._closed = False
        self._file.advise("DONTNEED")
        self._file.advise("NORMAL")

    @classmethod
    def open(cls, path: str | Path) -> StudentFile:
        """Opens and validates a student file without reading its weights.

        Raises:
            StorageError: The file, or its data file, is missing or cannot be read.
            FileFormatError: It is not a student, or is damaged; the subclass names the cause.
        """
        return cls(Path(path))

    @property
    def files(self) -> tuple[Path, ...]:
        """The file itself, and the one that holds its weights if they lie outside."""
        return (self.path,) if self._external is None else (self.path, self._external.path)

    def component(self, name: str) -> dict[str, NDArray[Any]]:
        """Reads one component, e.g. `stem`, `adapters.sam`, `routers.edge` or `heads.edge`.

        Returns:
            Its tensors by canonical name, float32 or float16, read-only.

        Raises:
            UnknownNameError: The student has no such component.
            DigestError: Its bytes are not those that the manifest was written for.
            TensorError: A value is NaN or infinite.
        """
        if self._closed:
            raise StorageError(f"{self.path.name} is closed")
        if name not in self._specs:
            raise UnknownNameError(
                f"{self.path.name} has no component {name!r}",
                expected=f"one of {', '.join(self._specs)}",
            )
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
            if not np.isfinite(tensor).all():
                raise TensorError(f"tensor {key} of {self.path.name} holds NaN or infinity")
        return tensors

    def stem(self) -> Subgraph:
        """Reads the stem and cuts its graph out of the student's.

        Raises:
            ManifestError: The graph does not compute the stem's outputs.
            DigestError, TensorError: As for `component`.
        """
        return self._cut(stem_cut(self.manifest))

    def whole(self, tasks: Sequence[str]) -> Subgraph:
        """Reads all that some tasks need: the stem, every adapter, their routers and heads.

        Args:
            tasks: Names of at least one task.

        Returns:
            A graph with the outputs `heads.<task>.last`, each task's map before it is resized to
            the input's size, and `routing.<level>.<task>` unless there are no routers.

        Raises:
            UnknownTaskError: The student has no such task.
            OptionError: No task was asked for.
            ManifestError: The graph does not compute an output.
            DigestError, TensorError: As for `component`.
        """
        chosen = pick("task", tasks, self.manifest.task_names, UnknownTaskError)
        if not chosen:
            expected = f"some of {', '.join(self.manifest.task_names)}"
            raise OptionError("no task was asked for", expected=expected)
        return self._cut(whole_cut(self.manifest, chosen))

    def release(self) -> None:
        """Releases the memory of what was read so far; what is touched again is read again."""
        for file in (self._file, self._external):
            if file is not None:
                file.advise("DONTNEED")

    def sparing(self) -> AbstractContextManager[None]:
        """Releases what was read soon after, while the block runs."""
        return sparing(self.release)

    def close(self) -> None:
        """Closes the file. Tensors already given out stay valid."""
        self._closed = True
        self._file.close()
        if self._external is not None:
            self._external.close()

    def __enter__(self) -> StudentFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _cut(self, where: Cut) -> Subgraph:
        specs = [spec for name in where.components for spec in self._specs[name]]
        weights: dict[str, NDArray[Any]] = {}
        for name in where.components:
            weights |= self.component(name)
        return cut(where, self._nodes, self.manifest, specs, weights)

    def _tensor(self, spec: TensorSpec) -> NDArray[Any]:
        file, start = self._places[spec.name]
        return file.tensor(spec.dtype, spec.shape, start)

    def _place(self, stored: StoredTensor, spec: TensorSpec) -> tuple[MappedFile, int]:
        """The file that holds a tensor's values and the byte they begin at, checked."""
        if stored.values is not None:
            return self._file, stored.values.start
        file = self._external_file(stored.external.get("location", ""))
        texts = [stored.external.get("offset", "0"), stored.external.get("length", "")]
        if not all(text.isascii() and text.isdigit() and len(text) < 20 for text in texts):
            raise TensorError(
                f"tensor {spec.name} states no valid offset and length in {file.path.name}"
            )
        offset, length = (int(text) for text in texts)
        if length != spec.nbytes:
            raise TensorError(
                f"tensor {spec.name} of {self.path.name} has values of the wrong length",
                expected=f"{spec.nbytes} bytes",
                got=f"{length}",
            )
        if offset + length > len(file.data):
            raise TruncatedFileError(
                f"{file.path.name} is truncated: it ends at byte {len(file.data)}, but tensor "
                f"{spec.name} at {offset + length}",
                remedy="Copy or download it again",
            )
        return file, offset

    def _external_file(self, location: str) -> MappedFile:
        plain = location not in ("", ".", "..") and not set(location) & set("/\\:\0")
        if not plain:
            raise UnsafePathError(
                f"{self.path.name} keeps weights under a path that leaves its folder",
                expected="a plain file name",
                got=repr(location),
                remedy="Do not use this file",
            )
        if self._external is None:
            self._external = MappedFile(self.path.parent / location)
        if self._external.path.name != location:
            raise TensorError(
                f"{self.path.name} keeps its weights in two files",
                expected=self._external.path.name,
                got=location,
            )
        return self._external
