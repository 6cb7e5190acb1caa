"""Copies of a log: its files as they are, and a table for a reader."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from sakedge.audit.entry import Entry
from sakedge.audit.segments import Segment, read_bytes, view
from sakedge.audit.walk import Walk
from sakedge.errors import FileFormatError, OptionError
from sakedge.files.atomic import atomic_write, make_folder
from sakedge.files.paths import file_path
from sakedge.text import to_json

TABLE = "entries.csv"
_FORMULA = ("=", "+", "-", "@")
_COLUMNS = tuple(name for name in Entry.model_fields if name != "v")


def export(folder: Path, to: Path) -> list[Path]:
    """Copies a log into an empty folder: byte for byte, and as a table for spreadsheets.

    A damaged log is copied too, as evidence; then the table ends before the first wrong place.

    Args:
        folder: The log's folder.
        to: Where to; made if it is not there.

    Returns:
        What was written.

    Raises:
        OptionError: Something is there already.
        StorageError: The log cannot be read, or the copy cannot be written.
        AuditError, NewerFormatError: There is no log, or it is damaged; it was copied nevertheless.
    """
    segments = view(file_path("an audit log", folder))
    to = file_path("the copy", to)
    make_folder(to)
    if any(to.iterdir()):
        raise OptionError(f"{to} is not empty", remedy="Choose another folder")
    written = [_copy(segment, to / segment.path.name) for segment in segments]
    with atomic_write(to / TABLE) as file:
        problem = _write_table(file, segments)
    if problem is not None:
        raise problem
    return [*written, to / TABLE]


def _copy(segment: Segment, path: Path) -> Path:
    with atomic_write(path) as file:
        for piece in read_bytes(segment):
            file.write(piece)
    return path


def _write_table(file: BinaryIO, segments: Sequence[Segment]) -> FileFormatError | None:
    """Writes the entries up to the first wrong place; what is wrong there, or None."""
    text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
    try:
        table = csv.writer(text)
        table.writerow(_COLUMNS)
        for entry in Walk(segments, archived=True):
            if entry is not None:
                table.writerow(_row(entry))
    except FileFormatError as problem:
        return problem
    finally:
        text.detach()
    return None


def _row(entry: Entry) -> list[object]:
    fields = {**entry.model_dump(), "detail": to_json(dict(entry.detail))}
    return [_plain(fields[name]) for name in _COLUMNS]


def _plain(value: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
