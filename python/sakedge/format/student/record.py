"""Adds measured quality to a student's file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from sakedge.errors import ManifestError
from sakedge.format.digest import graph_digest
from sakedge.format.onnx.opsets import OPSET
from sakedge.format.student.graph import student_graph
from sakedge.format.student.manifest import Manifest
from sakedge.format.student.quality import QualityEntry
from sakedge.format.student.reader import StudentFile
from sakedge.format.student.writer import write_student


def record_quality(path: str | Path, entries: Iterable[QualityEntry]) -> Manifest:
    """Rewrites a student's file with measurements added; its content digest stays what it was.

    An entry takes the place of one that holds for the same.

    Args:
        path: The file. It is replaced at once, when the new one is complete.
        entries: The measurements.

    Returns:
        The manifest with them.

    Raises:
        StorageError: The file cannot be read or written.
        FileFormatError: It is not a student, or is damaged.
        ManifestError: There would be more entries than a manifest can have, or the file was written
            by another version.
    """
    with StudentFile.open(path) as file:
        known = {entry.key: entry for entry in (*file.manifest.quality, *entries)}
        manifest = file.manifest.model_copy(update={"quality": tuple(known.values())})
        ours = graph_digest(part for _, part in student_graph(manifest).parts())
        if (ours, file.opset) != (manifest.graph_digest, OPSET):
            raise ManifestError(
                f"{file.path.name} was written by another version of sakedge",
                expected="the graph that this version writes, so that its content stays the same",
                remedy="Convert the student again, then measure it again",
            )
        external = len(file.files) > 1
        return write_student(file.path, manifest, _Components(file), external=external)


class _Components(Mapping[str, Mapping[str, NDArray[Any]]]):
    """A file's components, each read when it is asked for; the last one is kept."""

    def __init__(self, file: StudentFile) -> None:
        self._file = file
        self._last: tuple[str, Mapping[str, NDArray[Any]]] = ("", {})

    def __getitem__(self, name: str) -> Mapping[str, NDArray[Any]]:
        if self._last[0] != name:
            self._last = (name, self._file.component(name))
        return self._last[1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._file.manifest.components)

    def __len__(self) -> int:
        return len(self._file.manifest.components)
