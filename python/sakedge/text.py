"""Text from files and names, made safe to print; JSON that every parser reads."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Mapping
from typing import Any


def visible(text: str) -> str:
    r"""`text` with all that does not print written as an escape, e.g. `\x1b` or `\u202e`.

    Names come from files that anyone may have made. Control characters in them would act on a
    terminal, a line break would forge a line of a log, and bidirectional or zero-width characters
    would show another name than the one that is there.
    """
    if text.isprintable():
        return text
    return "".join(c if _prints(c) else c.encode("unicode_escape").decode() for c in text)


def to_json(value: Any, indent: int | None = None) -> str:
    """Strict JSON in ASCII: whatever is escaped prints anywhere; NaN and infinity become null."""
    return json.dumps(_finite(value), indent=indent, allow_nan=False)


def _prints(character: str) -> bool:
    return character.isprintable() or unicodedata.category(character) == "Zs"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return value
