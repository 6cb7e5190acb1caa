"""The log: many processes and threads append to it, and nothing in it is ever replaced."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sakedge.arguments import one_of
from sakedge.audit import torn
from sakedge.audit.actions import ACTIONS, OWN
from sakedge.audit.checkpoint import Checkpoint, origin_of
from sakedge.audit.entry import Entry, Result, Scalar
from sakedge.audit.making import End, make
from sakedge.audit.segments import LOCK, Segment, file_name, list_segments, view
from sakedge.audit.settings import AuditSettings
from sakedge.audit.tail import Tail, read_tail
from sakedge.audit.walk import Walk, tree_of
from sakedge.errors import AuditError
from sakedge.files.atomic import atomic_write, make_folder, storage_error
from sakedge.files.locked import locked
from sakedge.files.paths import absolute_path

if TYPE_CHECKING:
    from sakedge.trust.keys import PrivateKey

_APPEND = os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_NOTHING: Mapping[str, Scalar] = {}


def _now() -> datetime:
    return datetime.now(timezone.utc)


class AuditLog:
    """A log in a folder.

    It keeps nothing between two entries: whoever appends takes the lock and reads the end.

    Args:
        folder: The folder.
        settings: How it is written.
        clock: Gives the time, in UTC.
    """

    def __init__(
        self,
        folder: Path,
        settings: AuditSettings = AuditSettings(),  # noqa: B008 - immutable
        *,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.folder = absolute_path("an audit log", folder)
        self.settings = settings
        self._clock = clock

    @classmethod
    def open(cls, folder: Path, settings: AuditSettings = AuditSettings()) -> AuditLog:  # noqa: B008
        """Opens the log of a folder. A new one begins with an entry that says so.

        Raises:
            OptionError: `folder` is no path.
            StorageError: The folder cannot be made or written to.
            AuditError: Its files are none of a log.
        """
        log = cls(folder, settings)
        make_folder(log.folder)
        with log._lock():
            log._last_segment()
        return log

    def append(
        self,
        action: str,
        *,
        subject: str = "",
        old: str | None = None,
        new: str | None = None,
        result: Result = "done",
        detail: Mapping[str, Scalar] = _NOTHING,
        who: str | None = None,
    ) -> Entry:
        """Adds an entry; with `sync="always"` it is on the disk when this returns.

        Long texts lose their middle, and what does not print in them is written as an escape.

        Args:
            action: One of `ACTIONS` that is not the log's own.
            subject: What it was done to.
            old: Digest, or another name, of what was there before.
            new: The same of what is there now.
            result: `done`, `refused` or `failed`.
            detail: Further facts by name: at most 16.
            who: The user; None is the one of this process.

        Raises:
            OptionError: An argument is of the wrong kind, or the action is unknown.
            StorageError: It could not be written; the log is as it was.
            NewerFormatError: The log was written by a newer sakedge.
            AuditError: The end of the log was damaged.
        """
        one_of("action of the audit log", action, [name for name in ACTIONS if name not in OWN])
        said = {
            "action": action,
            "subject": subject,
            "old": old,
            "new": new,
            "result": result,
            "detail": detail,
            "who": who,
        }
        with self._lock():
            segment = self._last_segment()
            tail = read_tail(segment)
            if segment.size >= self.settings.rotate_bytes and not (tail.torn or tail.is_open):
                segment, tail = self._rotate(segment, tail.end)
            return self._extend(segment, tail, said)

    def checkpoint(self, key: PrivateKey, *, origin: str | None = None) -> str:
        """Signs what the log is now, the entry `checkpoint` included, which this appends.

        Args:
            key: The key that signs.
            origin: Names this log among all that are signed by the site; None is the machine's
                name and `/sakedge-audit`.

        Returns:
            A checkpoint as c2sp.org/tlog-checkpoint defines it.

        Raises:
            OptionError: The origin is none that a checkpoint can have.
            StorageError, NewerFormatError: As for `append`.
            AuditError: The last file of the log is damaged.
        """
        origin = origin_of(origin)
        self.append("checkpoint", subject=origin, detail={"key": key.keyid})
        walk = Walk(view(self.folder)[-1:], archived=True)
        for _ in walk:
            pass
        if walk.torn or walk.is_open:  # of a writer that was killed in this moment
            raise AuditError("the log's last line is torn", remedy="Make the checkpoint again")
        return Checkpoint(origin, walk.tree.size, walk.tree.root()).sign(key)

    def _lock(self) -> Any:
        return locked(self.folder / LOCK, timeout=self.settings.timeout)

    def _last_segment(self) -> Segment:
        """The file to append to. The first one is made here."""
        segments = list_segments(self.folder)
        if segments:
            return segments[-1]
        _, line = make({"action": "begin", "subject": str(self.folder)}, End(), self._clock())
        return self._create(1, line)

    def _create(self, first: int, line: bytes) -> Segment:
        """Makes a file with its first line, whole or not at all."""
        path = self.folder / file_name(first)
        with atomic_write(path) as file:
            file.write(line + b"\n")
        return Segment(path, first, len(line) + 1)

    def _rotate(self, segment: Segment, end: End) -> tuple[Segment, Tail]:
        """Begins the next file. Its first entry holds the tree of all lines before."""
        tree = tree_of(segment).to_hex()
        said = {"action": "rotate", "subject": segment.path.name, "detail": {"tree": tree}}
        entry, line = make(said, end, self._clock())
        following = self._create(entry.seq, line)
        with suppress(OSError):  # a file system without permissions
            mode = stat.S_IMODE(segment.path.stat().st_mode)
            segment.path.chmod(mode & ~0o222)
        return following, Tail(End.of(entry, line))

    def _extend(self, segment: Segment, tail: Tail, said: Mapping[str, Any]) -> Entry:
        """Adds an entry to a file, after one that accounts for what is torn there."""
        content, end = b"\n" if tail.is_open else b"", tail.end
        if tail.torn:
            detail = torn.account(tail.torn)
            recovered = {"action": torn.ACTION, "subject": segment.path.name, "detail": detail}
            entry, line = make(recovered, end, self._clock())
            content, end = content + line + b"\n", End.of(entry, line)
        entry, line = make(said, end, self._clock())
        self._write(segment, content + line + b"\n")
        return entry

    def _write(self, segment: Segment, content: bytes) -> None:
        """Adds bytes to a file. What of them could be written is taken back if not all could."""
        try:
            descriptor = os.open(segment.path, _APPEND)
        except OSError as error:
            raise storage_error("cannot write", segment.path, error) from error
        try:
            try:
                left = memoryview(content)
                while left:
                    left = left[os.write(descriptor, left) :]
                if self.settings.sync == "always":
                    os.fsync(descriptor)
            except OSError as error:
                with suppress(OSError):  # then the next entry accounts for what is left
                    os.ftruncate(descriptor, segment.size)
                raise storage_error("cannot write", segment.path, error) from error
        finally:
            os.close(descriptor)
