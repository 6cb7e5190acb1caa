"""Exchanges what is in a student, one change at a time, while calls go on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Literal, TypeAlias

from sakedge.adapters.history import History
from sakedge.adapters.lineup import Lineup
from sakedge.adapters.preparer import Preparer
from sakedge.adapters.snapshot import Snapshot
from sakedge.adapters.state import State
from sakedge.adapters.trials import Exchange, Trials
from sakedge.adapters.versions import REMOVED, Change, Version
from sakedge.errors import AdapterRejectedError, SakedgeError
from sakedge.logs import LOG
from sakedge.site import Site

Edit: TypeAlias = Callable[[Lineup], Lineup]
Verb = Literal["swap", "add", "remove", "rollback"]


class Exchanger:
    """Holds the state of a student and replaces it.

    Args:
        state: What was loaded.
        own: Names of the adapters in the student's file.
        running: Returns what prepares new parts; raises if the student cannot be used.
        admit: Raises if a snapshot must not run.
        trials: What tries exchanges on images.
        site: What records them.

    Attributes:
        state: What is there now. Whoever reads it once sees one state.
        history: What was changed.
    """

    def __init__(
        self,
        state: State,
        own: Collection[str],
        running: Callable[[], Preparer],
        admit: Callable[[Snapshot], None],
        trials: Trials,
        site: Site,
    ) -> None:
        self.state = state
        self.history = History()
        self._own = own
        self._running = running
        self._admit = admit
        self._trials = trials
        self._site = site
        self._changing = threading.Lock()  # held while a change is assembled
        self._exchanging = threading.Lock()  # held for a moment, so that none comes after `close`

    def exchange(
        self,
        action: Verb,
        name: str,
        change: Change,
        edit: Edit,
        live: Edit,
        golden: object = None,
        watch: object = None,
    ) -> None:
        """Makes a change.

        Args:
            action: What the log calls it.
            name: Of the adapter that changes.
            change: How it does.
            edit: Makes the lineup that there will be.
            live: Makes the lineup in which the adapter is active, for golden images.
            golden: Golden images, as for `AdapterSlots.swap`.
            watch: How live images are watched, likewise.

        Raises:
            SakedgeError: It cannot be made, or not be recorded where it must be; nothing has
                changed.
        """
        tried, report = self.state, None
        settings = self._trials.settings(watch, golden)
        if golden is not None:
            candidate = self._assembled(live(tried.lineup))
            report = self._trials.judge(golden, tried.snapshot, candidate.snapshot)
        with self._changing:
            before = self.state
            if golden is not None and before is not tried:
                raise AdapterRejectedError(
                    "other adapters were exchanged while the golden images ran",
                    remedy="Try again",
                )
            previous = before.lineup.version(name)
            after = self._assembled(edit(before.lineup))
            coming = after.lineup.version(name)
            self._record(action, name, previous, coming, report)
            self._set(after, {name: change})
            if action == "rollback":
                self.history.undone(name)
            else:
                self.history.add(name, REMOVED if previous is None else previous.change)
        _tell(name, change)
        self._trials.stop(f"adapter {name} was exchanged")
        if settings is not None:
            undo = partial(self._undo, name, previous, coming)
            exchange = Exchange(name, before.snapshot, after.snapshot, report, undo)
            self._trials.watch(settings, exchange)

    def replace_all(self, lineup: Lineup, changes: Mapping[str, Change]) -> None:
        """Puts a whole lineup in place, which came about by these changes."""
        with self._changing:
            self._set(self._assembled(lineup), changes)

    def close(self) -> None:
        """Releases the weights, and those of a change in progress when it ends."""
        with self._exchanging:
            empty = Snapshot(self.state.snapshot.student, ())
            self.state = State(Lineup(empty), empty)

    def _undo(
        self, name: str, previous: Version | None, watched: Version | None, reason: str
    ) -> None:
        """Puts the version from before an exchange back, unless another has taken its place."""
        with self._changing:
            lineup = self.state.lineup
            if lineup.version(name) is not watched:
                return
            lineup = lineup.lacking(name) if previous is None else lineup.activating(previous)
            change = REMOVED if previous is None else previous.change
            self._set(self._assembled(lineup), {name: change})
            self.history.undone(name)
        try:
            self._record("rollback", name, watched, previous, None, by="the watch", reason=reason)
        except SakedgeError as error:  # what was found wrong must go, recorded or not
            LOG.error("the rollback of adapter %s could not be recorded: %s", name, error)
        LOG.warning("adapter %s was rolled back: %s", name, reason)

    def _record(
        self,
        action: Verb,
        name: str,
        old: Version | None,
        new: Version | None,
        report: object,
        **detail: str,
    ) -> None:
        for key, version in (("from", old), ("to", new)):
            if version is not None and version.part.id.version:
                detail[key] = version.part.id.version
        if report is not None:
            detail["golden"] = str(report)
        self._site.record(
            action, subject=f"adapters.{name}", old=_digest(old), new=_digest(new), detail=detail
        )

    def _assembled(self, lineup: Lineup) -> State:
        """The state with these adapters; raises if they cannot or must not run."""
        preparer = self._running()
        snapshot = lineup.compose(lineup.active, preparer)
        self._admit(snapshot)
        return State(lineup, replace(snapshot, assembled=preparer.assemble(snapshot)))

    def _set(self, state: State, changes: Mapping[str, Change]) -> None:
        with self._exchanging:
            self._running()  # or else it was closed meanwhile
            self.state = state
        self.history.note(changes, self._own)


def _digest(version: Version | None) -> str | None:
    return None if version is None else version.part.id.digest


def _tell(name: str, change: Change) -> None:
    if change.kind == "removed":
        LOG.info("adapter %s was removed", name)
    elif change.kind == "file":
        LOG.info("adapter %s is the student's own again", name)
    else:
        LOG.info("adapter %s is now %s (%s)", name, change.pack, change.digest[:16])
