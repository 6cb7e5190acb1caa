"""Makes the line of an entry out of what was said of it and of what it follows."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sakedge.arguments import by_name
from sakedge.audit.entry import MAX_LINE, VERSION, Entry, parse_line, to_line
from sakedge.audit.who import host, whoami
from sakedge.errors import OptionError, shown
from sakedge.format.schema import NO_DIGEST
from sakedge.text import visible

LONGEST = 512
"""Characters of one text."""


@dataclass(frozen=True)
class End:
    """What an entry follows: the end of the log.

    Attributes:
        seq: Number of the last line.
        digest: SHA-256 of it.
        time: Of the last entry.
    """

    seq: int = 0
    digest: str = NO_DIGEST
    time: str = ""

    @classmethod
    def of(cls, entry: Entry, line: bytes) -> End:
        """The end that an entry makes."""
        return cls(entry.seq, hashlib.sha256(line).hexdigest(), entry.time)


def make(said: Mapping[str, Any], end: End, now: datetime) -> tuple[Entry, bytes]:
    """Makes an entry and its line, without the line's end.

    Args:
        said: Some of `action`, `subject`, `old`, `new`, `result`, `detail` and `who`.
        end: What it follows.
        now: The time, in UTC.

    Raises:
        OptionError: A part is of the wrong kind or too long.
    """
    time = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    who = said.get("who")
    fields = {
        "v": VERSION,
        "seq": end.seq + 1,
        "time": time,
        "clock_back": time < end.time,
        "who": _text("who", whoami() if who is None else who),
        "host": _text("host", host()),
        "pid": os.getpid(),
        "action": said["action"],
        "subject": _text("subject", said.get("subject", "")),
        "old": None if said.get("old") is None else _text("old", said["old"]),
        "new": None if said.get("new") is None else _text("new", said["new"]),
        "result": said.get("result", "done"),
        "detail": {
            _text("a name in detail", key): _text(key, value) if isinstance(value, str) else value
            for key, value in by_name("detail", said.get("detail")).items()
        },
        "prev": end.digest,
    }
    try:
        line = to_line(fields)
        entry = parse_line(line)
    except (ValueError, TypeError) as error:
        problem = f"this cannot be recorded: {error}"
        raise OptionError(
            problem, expected="text, numbers and truth values, as JSON has them"
        ) from None
    if len(line) >= MAX_LINE:
        problem = "this cannot be recorded: it is too long"
        raise OptionError(problem, expected=f"fewer than {MAX_LINE} bytes", got=f"{len(line)}")
    return entry, line


def _text(name: str, value: Any) -> str:
    """A text of one line that prints; a long one loses its middle."""
    if not isinstance(value, str):
        problem = f"{name} of an audit entry is no text"
        raise OptionError(problem, expected="a str", got=shown(value))
    half = LONGEST // 2
    short = value if len(value) <= LONGEST else f"{value[:half]} … {value[3 - half :]}"
    return visible(short)
