"""What processes run that follow a store: a small file of each, which lives as long as it does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Annotated

from pydantic import Field

from sakedge.errors import SakedgeError
from sakedge.files import temporary
from sakedge.files.atomic import draft
from sakedge.format.schema import Digest, Text
from sakedge.store.layout import SUFFIX, Layout
from sakedge.store.schema import (
    MOST_NAMES,
    ActiveName,
    Generation,
    Moment,
    Record,
    find_record,
    names_in,
    to_bytes,
)

Reasons = Annotated[
    Mapping[ActiveName, Annotated[str, Field(max_length=8192)]], Field(max_length=MOST_NAMES)
]


class Running(Record):
    """What a process runs.

    Attributes:
        pid: Its number.
        student: Content digest of the student that follows.
        generation: The state of the store that it follows.
        since: When it began to, by the device's clock, in UTC.
        adapters: By name, SHA-256 of the tensors of each adapter that it runs.
        refused: What it does not run, by name, and why; it runs what it ran before.
    """

    pid: Annotated[int, Field(ge=0)]
    student: Text
    generation: Generation
    since: Moment
    adapters: Annotated[Mapping[ActiveName, Digest], Field(max_length=MOST_NAMES)] = Field(
        default_factory=dict
    )
    refused: Reasons = Field(default_factory=dict)


class Notice:
    """The file in which a process says what it runs. It holds a lock on it for as long as it lives.

    Where the process may not write to the store, nobody is told.

    Attributes:
        pid: Number of the process.
    """

    def __init__(self, layout: Layout, token: str) -> None:
        self.pid = os.getpid()
        self._path = layout.running / f"{self.pid}-{token}{SUFFIX}"
        self._held = ExitStack()

    def say(self, running: Running) -> None:
        """Replaces what the file says."""
        held = ExitStack()
        with suppress(OSError):
            new = held.enter_context(draft(self._path.parent))
            new.file.write(to_bytes(running))
            new.place(self._path)
            self._held, held = held, self._held
        with suppress(OSError):
            held.close()

    def withdraw(self) -> None:
        """Removes the file."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
        self._held.close()
        self._held = ExitStack()


def running(layout: Layout) -> tuple[Running, ...]:
    """What living processes run, as far as they say and can be understood."""
    found = []
    for name in names_in(layout.running):
        with suppress(SakedgeError):  # whatever another process says, the store can be read
            said = find_record(layout.running / name, Running)
            if said is not None and _is_alive(layout.running / name):
                found.append(said)
    return tuple(found)


def _is_alive(path: Path) -> bool:
    """Whether the writer of a file still holds its lock."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return False
    try:
        return not temporary.is_left_over(descriptor)
    finally:
        os.close(descriptor)
