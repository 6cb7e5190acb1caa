"""Reads the manifests of older packs as if they were written today."""

from __future__ import annotations

from sakedge.format.parse import Fields


def from_version_1(fields: Fields) -> Fields:
    """Version 1 had packs of adapters only, and named the stem itself.

    Raises:
        ValueError: A field that version 1 had is missing.
    """
    match fields:
        case {"stem_digest": stem, **rest}:
            return {**rest, "kind": "adapter", "stem_lineage": stem}
    raise ValueError("stem_digest is missing")
