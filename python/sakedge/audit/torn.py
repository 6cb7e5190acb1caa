"""What a power cut leaves of a line: it is kept, closed by the next append, and accounted for.

A line is written in one piece, so only its beginning can be there, or zeros where a file system
had not come to its bytes. It stays where it is and keeps its number. The entry `recovered` after
it states how much there is, and its digest, so that nothing can be passed off as such later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from sakedge.audit.entry import Entry, is_whole

ACTION = "recovered"
MOST_LINES = 64
"""In a row. Each is a power cut during the first entry after another one."""


def is_torn(line: bytes) -> bool:
    """Whether a line, without its end, may be what a power cut left of one."""
    return not is_whole(line) or b"\0" in line


def account(lines: Sequence[bytes]) -> dict[str, str | int]:
    """The details of the entry that accounts for torn lines.

    Args:
        lines: All between the entry before and that one, without their ends.
    """
    content = b"\n".join(lines)
    return {
        "lines": len(lines),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def accounts_for(entry: Entry, lines: Sequence[bytes]) -> bool:
    """Whether an entry is the one that accounts for these torn lines."""
    stated: Mapping[str, object] = entry.detail
    return entry.action == ACTION and dict(stated) == account(lines)
