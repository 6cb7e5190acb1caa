"""What tries an exchange on images: before it goes live, and for a while after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sakedge.adapters.snapshot import Snapshot


@dataclass(frozen=True)
class Exchange:
    """An exchange that has taken place.

    Attributes:
        name: The adapter's.
        before: What calls ran before it; it keeps those parts alive.
        after: What they run now.
        report: What the golden images showed.
        undo: Puts the adapter back that was there, if nothing has taken its place meanwhile; is
            given the reason.
    """

    name: str
    before: Snapshot
    after: Snapshot
    report: object
    undo: Callable[[str], None]


class Trials(Protocol):
    """Tries exchanges on images."""

    def settings(self, watch: object, golden: object) -> object:
        """How to watch, from what the caller gave; None is not at all.

        Raises:
            OptionError: It was given something else, or a watch without golden images.
        """
        ...

    def judge(self, golden: object, before: Snapshot, after: Snapshot) -> object:
        """Runs golden images with both, and reports what they showed.

        Raises:
            AdapterRejectedError: What would come is worse than allowed.
        """
        ...

    def stop(self, reason: str) -> None:
        """Ends the watch over an earlier exchange, if there is one: something else runs now."""
        ...

    def watch(self, settings: object, exchange: Exchange) -> None:
        """Begins to watch live images after an exchange, in the background."""
        ...
