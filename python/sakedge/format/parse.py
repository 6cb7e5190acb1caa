"""Parses a manifest's JSON, the version first, so that a newer file is never called broken."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from sakedge.errors import ManifestError, NewerFormatError
from sakedge.format.student.manifest import FORMAT_VERSION

MAX_BYTES = 1 << 24

Model = TypeVar("Model", bound=BaseModel)


def parse(kind: type[Model], text: bytes, name: str) -> Model:
    """Parses and validates a manifest.

    Args:
        kind: The manifest's class.
        text: Its JSON.
        name: Name of the file, for errors.

    Raises:
        NewerFormatError: It is of a newer format than this sakedge reads.
        ManifestError: It is malformed or contradicts itself.
    """
    if len(text) > MAX_BYTES:
        raise ManifestError(f"the manifest of {name} is larger than {MAX_BYTES} bytes")
    _check_version(text, name)
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        reason = f"{place}: {first['msg']}" if place else first["msg"]
        raise ManifestError(f"the manifest of {name} is not valid: {reason}") from error


def _check_version(text: bytes, name: str) -> None:
    try:
        fields = from_json(text)
    except ValueError as error:
        raise ManifestError(f"the manifest of {name} is no JSON: {error}") from error
    version = fields.get("format_version") if isinstance(fields, dict) else None
    if not isinstance(version, int) or isinstance(version, bool):
        raise ManifestError(f"the manifest of {name} states no format version")
    if version > FORMAT_VERSION:
        raise NewerFormatError(
            f"{name} needs a newer sakedge",
            expected=f"format version {FORMAT_VERSION} or older",
            got=f"version {version}",
            remedy="Update sakedge, or make the file again with this version",
        )
