"""What runtimes report: their version, and why they failed."""

from __future__ import annotations

import re

_LONGEST = 300
_POSITIONS = ("Exception from ", "Check '")


def is_older(version: str, oldest: tuple[int, int]) -> bool:
    """Whether a version such as `2026.4.1` comes before `oldest`, e.g. (2026, 3)."""
    numbers = [int(part) for part in re.findall(r"\d+", version)[:2]]
    return tuple(numbers) < oldest


def gist(error: BaseException) -> str:
    """A runtime's multi-line message in one line, without its source positions."""
    lines = (line.strip() for line in str(error).splitlines())
    telling = [line for line in lines if line and not line.startswith(_POSITIONS)]
    text = " ".join(telling) or type(error).__name__
    return (text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…").rstrip(".")
