"""Reads the manifests of older student files as if they were written today."""

from __future__ import annotations

from sakedge.format.parse import Fields
from sakedge.format.student.parts import GROUPS


def from_version_1(fields: Fields) -> Fields:
    """Version 1 stored all weights alike, and its packs named the stem itself.

    Raises:
        ValueError: A field that version 1 had is missing.
    """
    match fields:
        case {"precision": {"weights": stored}, "digests": {"stem": stem}, **rest}:
            return {
                **rest,
                "digests": fields["digests"],
                "storage": dict.fromkeys(GROUPS, stored),
                "stem_lineage": stem,
            }
    raise ValueError("precision.weights or digests.stem is missing")
