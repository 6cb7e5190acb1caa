"""What the next entry has to follow."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sakedge.audit.entry import MAX_LINE, parse_line
from sakedge.audit.making import End
from sakedge.audit.segments import Segment, read_end
from sakedge.audit.torn import MOST_LINES, is_torn
from sakedge.errors import AuditError

_REACHES = (1 << 13, 1 << 18)
"""Bytes from the end in which the last entry is looked for. The second holds several lines."""


@dataclass(frozen=True)
class Tail:
    """The end of a log.

    Attributes:
        end: What the next entry follows.
        torn: Lines after the last entry that a power cut may have left, without their ends.
        is_open: Whether the last line lacks its end.
    """

    end: End
    torn: tuple[bytes, ...] = ()
    is_open: bool = False


def read_tail(segment: Segment) -> Tail:
    """Reads the end of the log's last file.

    Raises:
        StorageError: It cannot be read.
        NewerFormatError: It was written by a newer sakedge.
        AuditError: What is there is neither an entry nor what a power cut leaves of one.
    """
    for reach in _REACHES:
        lines = read_end(segment, reach)
        is_open = bool(lines and lines[-1])
        lines = lines if is_open else lines[:-1]
        for i in reversed(range(max(0, len(lines) - MOST_LINES - 1), len(lines))):
            try:
                last = parse_line(lines[i])
            except ValueError as error:
                if is_torn(lines[i]):
                    continue
                raise _damaged(segment, str(error)) from None
            torn = tuple(lines[i + 1 :])
            if any(len(line) >= MAX_LINE - 1 for line in torn):
                raise _damaged(segment, "more is torn than power cuts leave")
            digest = hashlib.sha256(lines[-1]).hexdigest()
            return Tail(End(last.seq + len(torn), digest, last.time), torn, is_open)
    raise _damaged(segment, "there is no entry at its end")


def _damaged(segment: Segment, reason: str) -> AuditError:
    return AuditError(
        f"{segment.path} was damaged: {reason}",
        expected="an entry, or the beginning of one",
        remedy="Keep the log's folder elsewhere as evidence; a new log begins in an empty one",
    )
