"""Parses a manifest's JSON: version, upgrade, features, and only then the fields.

In this order a file of a newer version, or one that needs an unknown feature, is reported as that
and never as malformed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from sakedge.errors import ManifestError, NewerFormatError, UnsupportedFeatureError
from sakedge.format.digest import canonical_json

MAX_BYTES = 1 << 24

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


def read_fields(text: bytes, name: str) -> Fields:
    """Reads a manifest's JSON as far as its format version.

    Args:
        text: The JSON.
        name: Name of the file, for errors.

    Raises:
        ManifestError: It is not JSON, holds a number that is not finite, or states no version.
    """
    if len(text) > MAX_BYTES:
        raise ManifestError(f"the manifest of {name} is larger than {MAX_BYTES} bytes")
    try:
        fields = from_json(text, allow_inf_nan=False)
        canonical_json(fields)  # an overflowing number such as 1e999 is read as infinity
    except ValueError as error:
        raise ManifestError(f"the manifest of {name} is not JSON: {error}") from error
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
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        reason = f"{place}: {first['msg']}" if place else first["msg"]
        raise ManifestError(f"the manifest of {name} is not valid: {reason}") from error
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
