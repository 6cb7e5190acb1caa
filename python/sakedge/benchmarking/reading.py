"""Reads a record that someone wrote: it may be damaged, hostile, or of a newer sakedge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sakedge.benchmarking.record import FORMAT, VERSION, Record
from sakedge.benchmarking.results import results_of
from sakedge.benchmarking.soak import judged
from sakedge.errors import NewerFormatError, RecordError
from sakedge.files.bounded import read_bounded
from sakedge.format.schema import first_problem
from sakedge.format.strict_json import loads
from sakedge.text import visible

MAX_BYTES = 1 << 26
_MOST_KEYS = 4096
_REMEDY = "Measure again with `sakedge benchmark STUDENT -o FILE`"


def read_record(path: Path) -> Record:
    """Reads a record.

    Raises:
        StorageError: It cannot be read.
        NewerFormatError: It is of a newer format than this sakedge reads.
        RecordError: It is no record, or is damaged.
    """
    name = visible(path.name)
    content = read_bounded(path, MAX_BYTES, RecordError)
    try:
        fields = loads(content, most_bytes=MAX_BYTES, most_keys=_MOST_KEYS)
        _check_kind(fields, name)
        return _made_again(Record.model_validate_json(content))
    except ValidationError as error:
        reason = first_problem(error)
        raise RecordError(f"{name} is no record: {reason}", remedy=_REMEDY) from None
    except ValueError as error:
        raise RecordError(f"{name} is no record: {error}", remedy=_REMEDY) from None


def _made_again(record: Record) -> Record:
    """The same with everything that follows from the measurements made of them, not believed."""
    stated, soak = record.results, record.soak
    idle = None if stated is None or stated.energy is None else stated.energy.idle_watts
    results = results_of(record.rounds, idle) if record.rounds else None
    if soak is not None:
        soak = judged(soak.windows, soak.asked_minutes, soak.interrupted)
    return record.model_copy(update={"results": results, "soak": soak})


def _check_kind(fields: Any, name: str) -> None:
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise RecordError(
            f"{name} is no record of sakedge benchmark",
            expected=f'JSON with "format": "{FORMAT}"',
            remedy=_REMEDY,
        )
    version = fields.get("format_version")
    if isinstance(version, int) and version > VERSION:
        raise NewerFormatError(
            f"{name} needs a newer sakedge",
            expected=f"format version {VERSION}",
            got=f"version {version}",
            remedy="Update sakedge",
        )
