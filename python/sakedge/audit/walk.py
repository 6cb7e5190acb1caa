"""Reads a log line by line and holds each against those before it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from sakedge.audit.entry import Entry, parse_line
from sakedge.audit.merkle import Tree
from sakedge.audit.segments import Segment, read_lines
from sakedge.audit.torn import ACTION, MOST_LINES, accounts_for, is_torn
from sakedge.errors import AuditError
from sakedge.format.schema import NO_DIGEST

_FIRST = ("begin", "rotate")
"""Of the first file, and of the others."""


class Walk:
    """Walks through a log once, from its first line.

    Args:
        segments: The files, in order.
        archived: Whether the files before the first given may lie elsewhere.

    Attributes:
        tree: Of all lines so far.
        last: The last entry so far.
        recovered: The entries that account for torn lines.
        backwards: Number of entries at which the clock had gone back.
        torn: Lines after the last entry that a power cut may have left; complete after the walk.
        is_open: Whether the last line lacks its end.
    """

    def __init__(self, segments: Sequence[Segment], *, archived: bool = False) -> None:
        self.tree = Tree()
        self.last: Entry | None = None
        self.recovered: list[Entry] = []
        self.backwards = 0
        self.torn: list[bytes] = []
        self.is_open = False
        self._segments = segments
        self._archived = archived
        self._before = NO_DIGEST
        self._segment, self._number = segments[0], 0  # where it is: file, and line in it

    def __iter__(self) -> Iterator[Entry | None]:
        """After each line its entry, or None of one that is torn.

        Raises:
            StorageError: A file cannot be read.
            NewerFormatError: The log was written by a newer sakedge.
            AuditError: The first wrong place, by file and line.
        """
        for segment in self._segments:
            self._begin(segment)
            for number, line in enumerate(read_lines(segment), start=1):
                self._segment, self._number = segment, number
                self.is_open = not line.endswith(b"\n")
                yield self._take(line.removesuffix(b"\n"))
            if self.is_open and segment is not self._segments[-1]:
                raise AuditError(f"{self._place} lacks its end, though another file follows")
        if self.torn and not self.is_open and b"\0" not in self.torn[-1]:
            raise AuditError(
                f"{self._place} is no entry",
                remedy="If the power was cut just then, the next entry accounts for it",
            )

    def _begin(self, segment: Segment) -> None:
        """Checks that a file continues those before."""
        expected = self.tree.size + 1
        if segment.first != expected and not (self._archived and self.last is None):
            missing = f"{expected} to {segment.first - 1}"
            raise AuditError(
                f"{segment.path.name} does not continue what is before it",
                expected=f"a file that begins with line {expected}",
                got=f"lines {missing} are missing" if segment.first > expected else "another one",
            )
        if not segment.size:
            raise AuditError(f"{segment.path.name} is empty", expected="at least one entry")

    def _take(self, line: bytes) -> Entry | None:
        try:
            entry = parse_line(line)
        except ValueError as error:
            if not is_torn(line) or self._number == 1 or len(self.torn) >= MOST_LINES:
                raise AuditError(f"{self._place}: {error}") from None
            self._add(line)
            self.torn.append(line)
            return None
        if self.last is None and self._segment.first > 1:
            # The files before it lie elsewhere: this line states what they gave.
            self.tree, self._before = _tree_before(self._segment, line), entry.prev
        self._check(entry)
        self._add(line)
        self.last = entry
        self.backwards += entry.clock_back
        return entry

    def _add(self, line: bytes) -> None:
        self.tree.add(line)
        self._before = hashlib.sha256(line).hexdigest()

    def _check(self, entry: Entry) -> None:
        line = self.tree.size + 1
        if entry.seq != line:
            raise AuditError(
                f"{self._place} is out of order: lines were removed, added or moved",
                expected=f"entry {line}",
                got=f"entry {entry.seq}",
            )
        if entry.prev != self._before:
            raise AuditError(
                f"{self._place} does not follow the line before it: one of the two was changed",
                expected=f"prev {self._before}",
                got=entry.prev,
            )
        if self.torn or entry.action == ACTION:
            if not accounts_for(entry, self.torn):
                raise AuditError(f"{self._place} does not account for the lines before it")
            self.recovered.append(entry)
            self.torn = []
        if self._number == 1 or entry.action in _FIRST:
            self._check_first(entry)
        back = self.last is not None and entry.time < self.last.time
        if self.last is not None and back != entry.clock_back:
            raise AuditError(f"{self._place}: clock_back contradicts its time")

    def _check_first(self, entry: Entry) -> None:
        """A file's first entry, and no other, says that the file begins."""
        expected = None if self._number > 1 else _FIRST[self._segment.first > 1]
        if entry.action != expected:
            raise AuditError(
                f"{self._place} is not what stands there",
                expected=f"the action {expected or 'of an entry that is not the first'}",
                got=entry.action,
            )
        if entry.action == "rotate" and entry.detail.get("tree") != self.tree.to_hex():
            raise AuditError(f"{self._place} states another tree than the lines before it make")

    @property
    def _place(self) -> str:
        return _place(self._segment, self._number)


def tree_of(segment: Segment) -> Tree:
    """The tree of all lines up to a segment's end; nothing but its first line is checked.

    Raises:
        StorageError, NewerFormatError, AuditError: As for a walk.
    """
    tree = Tree()
    for number, line in enumerate(read_lines(segment), start=1):
        if number == 1 and segment.first > 1:
            tree = _tree_before(segment, line.removesuffix(b"\n"))
        tree.add(line.removesuffix(b"\n"))
    return tree


def _tree_before(segment: Segment, line: bytes) -> Tree:
    """The tree that a file's first line states of those before it."""
    try:
        return Tree.from_hex(segment.first - 1, str(parse_line(line).detail.get("tree", "")))
    except ValueError as error:
        raise AuditError(f"{_place(segment, 1)}: {error}") from None


def _place(segment: Segment, number: int) -> str:
    return f"{segment.path.name} line {number} (entry {segment.first + number - 1})"
