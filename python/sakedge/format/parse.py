"""Parses a manifest's JSON: version, upgrade, features, and only then the fields.

In this order a file of a newer version, or one that needs an unknown feature, is reported as that
and never as malformed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from sakedge.errors import ManifestError, NewerFormatError, UnsupportedFeatureError
from sakedge.format.schema import first_problem
from sakedge.format.strict_json import loads

MAX_BYTES = 1 << 20
"""Of a manifest. The demo student's has 4 kB; labels and colours of a thousand classes, 50."""
MAX_KEYS = 1024
"""Of one object in it. The largest are the digests, of at most 769 components."""

Model = TypeVar("Model", bound=BaseModel)
Fields = dict[str, Any]


@dataclass(frozen=True)
class Schema(Generic[Model]):
    """How one kind of manifest is read.

    Attributes:
        model: Its class, of the newest version.
        version: That version.
        features: The optional features that a file may require.
        upgrades: For each older version, its fields as those of the next. Raises ValueError where
            a field that it needs is missing.
    """

    model: type[Model]
    version: int
    features: frozenset[str]
    upgrades: Mapping[int, Callable[[Fields], Fields]]


def read_fields(text: bytes | memoryview, name: str) -> Fields:
    """Reads a manifest's JSON as far as its format version.

    Args:
        text: The JSON.
        name: Name of the file, for errors.

    Raises:
        ManifestError: It is not JSON, holds a number that is not finite, is too large, or states
            no version.
    """
    try:
        fields = loads(text, most_bytes=MAX_BYTES, most_keys=MAX_KEYS)
    except ValueError as error:
        raise ManifestError(
            f"the manifest of {name} is not JSON that can be used: {error}"
        ) from None
    version = fields.get("format_version") if isinstance(fields, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ManifestError(f"the manifest of {name} states no format version")
    checked: Fields = fields
    return checked


def parse(schema: Schema[Model], fields: Fields, name: str) -> Model:
    """Validates a manifest of any version as one of the newest.

    Args:
        schema: What kind of manifest it is.
        fields: From `read_fields`.
        name: Name of the file, for errors.

    Raises:
        NewerFormatError: It is of a newer format than this sakedge reads.
        UnsupportedFeatureError: It requires a feature that this sakedge does not have.
        ManifestError: It is malformed or contradicts itself.
    """
    stated = fields["format_version"]
    if stated > schema.version:
        raise NewerFormatError(
            f"{name} needs a newer sakedge",
            expected=f"format version {schema.version} or older",
            got=f"version {stated}",
            remedy="Update sakedge, or make the file again with this version",
        )
    try:
        for version in range(stated, schema.version):
            fields = schema.upgrades[version](fields)
        fields = {**fields, "format_version": schema.version}
        _check_features(schema.features, fields.get("requires"), name)
        return schema.model.model_validate(fields)
    except ValidationError as error:
        reason = first_problem(error)
        raise ManifestError(f"the manifest of {name} is not valid: {reason}") from None
    except ValueError as error:
        raise ManifestError(f"the manifest of {name} is not valid: {error}") from error


def _check_features(known: frozenset[str], required: object, name: str) -> None:
    if not isinstance(required, list):
        return  # absent, or refused by the model
    for feature in required:
        if isinstance(feature, str) and feature not in known:
            raise UnsupportedFeatureError(
                f"{name} requires the feature {feature!r}, which this sakedge does not have",
                expected=f"some of {', '.join(sorted(known))}" if known else "no feature",
                remedy="Update sakedge",
            )
