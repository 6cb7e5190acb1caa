"""Reads JSON that others wrote: one meaning for every reader, and work bounded by its length."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

MAX_DEPTH = 32
MAX_DIGITS = 64
"""Characters of a number. A float needs 24, a counter 20."""


def loads(text: bytes | memoryview, *, most_bytes: int, most_keys: int) -> Any:
    """Parses JSON in UTF-8.

    Refused are, besides what is no JSON: NaN, infinity and numbers that are read as such, a key
    twice in one object, half a surrogate pair, and more of anything than stated.

    Args:
        text: The JSON.
        most_bytes: Its largest length.
        most_keys: The most keys of one object.

    Raises:
        ValueError: It is refused; the message says why.
    """
    if len(text) > most_bytes:
        raise ValueError(f"it has {len(text)} bytes, more than {most_bytes}")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(pairs) > most_keys:
            raise ValueError(f"an object has {len(pairs)} keys, more than {most_keys}")
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("an object has a key twice")
        return found

    try:
        value = json.loads(
            bytes(text).decode(),
            object_pairs_hook=unique,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_refuse,
        )
    except RecursionError:
        raise ValueError(f"it is nested more than {MAX_DEPTH} deep") from None
    _check_depth(value)
    json.dumps(value, ensure_ascii=False).encode()  # fails for half a surrogate pair
    return value


def _integer(digits: str) -> int:
    _check_digits(digits)
    return int(digits)


def _float(digits: str) -> float:
    _check_digits(digits)
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits} is too large")
    return number


def _check_digits(digits: str) -> None:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number has more than {MAX_DIGITS} digits: {digits[:MAX_DIGITS]}…")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON's")


def _check_depth(value: Any) -> None:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [child for part in level for child in _children(part)]
        if not level:
            return
    raise ValueError(f"it is nested more than {MAX_DEPTH} deep")


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
