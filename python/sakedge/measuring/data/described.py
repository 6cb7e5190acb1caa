"""Small files of JSON that describe a data set."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from sakedge.errors import DatasetError
from sakedge.files.atomic import is_there
from sakedge.files.bounded import read_bounded
from sakedge.format import strict_json
from sakedge.format.schema import first_problem

_MOST_BYTES = 1 << 16
_MOST_KEYS = 256

M = TypeVar("M", bound=BaseModel)


def read_described(path: Path, model: type[M], problem: str, expected: str) -> M | None:
    """Reads a file; None if it is not there.

    Args:
        path: The file.
        model: What is in it.
        problem: What is wrong with it if it is something else, for the message.
        expected: What should be in it, for the message.

    Raises:
        DatasetError: It is no such JSON.
        FileFormatError: It is too large.
        StorageError: It cannot be read, or is no file.
    """
    if not is_there(path):
        return None
    content = read_bounded(path, _MOST_BYTES)
    try:
        fields = strict_json.loads(content, most_bytes=_MOST_BYTES, most_keys=_MOST_KEYS)
        return model.model_validate(fields)
    except ValueError as error:  # also pydantic's
        raise DatasetError(f"{path} {problem}", expected=expected, got=fault_in(error)) from error


def fault_in(error: ValueError) -> str:
    """What is wrong with JSON, in one line: of pydantic's list the first."""
    if not isinstance(error, ValidationError):
        return str(error)
    return first_problem(error)
