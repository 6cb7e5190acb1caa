"""Watches an adapter that went live, on a thread of its own, and undoes the exchange if need be."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from sakedge.adapters.snapshot import PartId, Snapshot
from sakedge.canary.budget import Budget
from sakedge.canary.evidence import Evidence
from sakedge.canary.golden import FEWEST
from sakedge.canary.judge import Runner
from sakedge.canary.report import Report
from sakedge.canary.watch import Seen, State, Watch
from sakedge.errors import ClosedError, ImageError, NumericError, SakedgeError
from sakedge.format import Manifest
from sakedge.images import ImageLike
from sakedge.logs import LOG
from sakedge.measuring.metrics import agreement_for
from sakedge.result import Result, Routing

_PAUSE = 0.05
"""Seconds between two looks at what was observed: so `observe` need not wake anyone."""
_MOST_FRAMES = 4096
"""Frames whose routing waits; older ones are dropped."""
_MOST_PICTURES = 2
"""Pictures that wait for a shadow run; older ones are dropped, for each may be large."""

_Observed = tuple[tuple[PartId, ...], Mapping[str, Routing]]


class Watching:
    """A watch in progress.

    Args:
        watch: How long, and at what cost.
        report: The canary run that let the adapter go live: what its live figures are compared
            with.
        run: Runs an image with several snapshots.
        manifest: The student's.
        old: What ran before, assembled; held until the watch ends.
        new: What runs now, assembled.
        undo: Undoes the exchange; called at most once, on the thread of the watch, with the reason.
        record: Called with what is to stand in an audit log, as `Site.record` is.
    """

    def __init__(
        self,
        watch: Watch,
        report: Report,
        run: Runner,
        manifest: Manifest,
        old: Snapshot,
        new: Snapshot,
        *,
        undo: Callable[[str], object],
        record: Callable[..., object],
    ) -> None:
        infos = {info.name: info for info in manifest.tasks}
        self._watch = watch
        self._report = report
        self._run = run
        self._pair: tuple[Snapshot, ...] = (old, new)
        self._adapters = _adapters(new.ids)
        self._tasks = tuple(report.tasks)
        self._undo = undo
        self._record = record
        self._evidence = Evidence(
            report, {task: agreement_for(infos[task]) for task in self._tasks}
        )
        self._budget = Budget(watch.budget)
        self._state: State = "watching"
        self._reason = ""
        self._numbers = itertools.count()
        self._passed = 0
        self._observed: deque[_Observed] = deque(maxlen=_MOST_FRAMES)
        self._pictures: deque[ImageLike] = deque(maxlen=_MOST_PICTURES)
        self._end = None if watch.seconds is None else time.monotonic() + watch.seconds
        self._stopping = threading.Event()
        self._seen = Seen("watching")
        self._thread = threading.Thread(target=self._work, name="sakedge watch", daemon=True)
        self._thread.start()

    def observe(self, picture: ImageLike, result: Result) -> None:
        """Takes note of a call: microseconds, no lock, no exception.

        Args:
            picture: The image as it was read. It may be run again, and must not be written to.
            result: Its result.
        """
        if self._state != "watching":
            return
        self._observed.append((result.parts, result.routing))
        if next(self._numbers) % self._watch.every == 0:
            self._pictures.append(picture)

    @property
    def seen(self) -> Seen:
        """What it has seen until its last look."""
        return self._seen

    def stop(self, reason: str = "it was stopped") -> None:
        """Ends the watch without a decision; returns at once."""
        self._reason = self._reason or reason
        self._stopping.set()

    def wait(self, timeout: float | None = None) -> Seen:
        """Waits for the end of the watch, at most so many seconds; what it has seen."""
        self._thread.join(timeout)
        return self._seen

    def _work(self) -> None:
        try:
            self._look_on()
        except ClosedError:
            self._finish("stopped", "the student was closed")
        except Exception as error:  # nobody waits for this thread: what ends it must be told
            reason = error.problem if isinstance(error, SakedgeError) else repr(error)
            self._finish("failed", f"the watch itself failed: {reason}")
        finally:
            self._pair = ()
            self._observed.clear()
            self._pictures.clear()

    def _look_on(self) -> None:
        while not self._stopping.wait(_PAUSE):
            self._take_frames()
            if self._pictures and self._budget.allows():
                self._run_shadow(self._pictures.pop())
            against = self._evidence.against()
            if against:
                self._undo_because(against)
                return
            if self._is_over():
                is_little = self._evidence.shadows < FEWEST
                self._finish("kept", f"after fewer than {FEWEST} shadow runs" if is_little else "")
                return
            self._seen = self._told("watching", "")
        self._finish("stopped", self._reason)

    def _take_frames(self) -> None:
        while self._observed:
            parts, routing = self._observed.popleft()
            self._passed += 1
            if _adapters(parts) == self._adapters:
                self._evidence.add_frame(routing)

    def _run_shadow(self, picture: ImageLike) -> None:
        with self._budget.piece():
            try:
                old, new = self._run(picture, self._pair, self._tasks)
            except (ImageError, NumericError):
                self._run_old_alone(picture)
            else:
                self._evidence.add_shadow(old, new)

    def _run_old_alone(self, picture: ImageLike) -> None:
        try:
            self._run(picture, self._pair[:1], self._tasks)
        except (ImageError, NumericError):
            return  # the image's fault, not the adapter's
        self._evidence.add_failure()

    def _is_over(self) -> bool:
        late = self._end is not None and time.monotonic() >= self._end
        return late or self._passed >= self._watch.frames

    def _undo_because(self, reason: str) -> None:
        self._state = "undone"
        try:
            self._undo(reason)
        except Exception as error:  # the caller's; the adapter stays, and that must be told
            self._finish("failed", f"{reason}; it could not be undone: {error}")
            return
        self._finish("undone", reason)

    def _finish(self, state: State, reason: str) -> None:
        self._state, self._reason = state, reason
        seen = self._seen = self._told(state, reason)
        about = f"the watch of adapter {', '.join(self._report.exchanged)}"
        why = f": {reason}" if reason else ""
        level = LOG.info if state in ("kept", "stopped") else LOG.error
        level("%s: %s after %d frames, %d shadows%s", about, state, seen.frames, seen.shadows, why)
        try:
            self._record(
                "watch",
                subject=",".join(self._report.exchanged),
                old=",".join(self._report.old.values()) or None,
                new=",".join(self._report.new.values()) or None,
                result="failed" if state in ("undone", "failed") else "done",
                detail=_detail(seen),
            )
        except Exception as error:  # the caller's; what was decided stands
            LOG.error("%s could not be recorded: %s", about, error)

    def _told(self, state: State, reason: str) -> Seen:
        found = self._evidence
        return Seen(
            state,
            reason,
            found.frames,
            found.shadows,
            found.failed,
            self._budget.spent,
            dict(found.differs),
            found.weights,
        )


def _adapters(parts: tuple[PartId, ...]) -> tuple[PartId, ...]:
    return tuple(part for part in parts if part.kind == "adapter")


def _detail(seen: Seen) -> dict[str, Any]:
    return {
        "state": seen.state,
        "reason": seen.reason,
        "frames": seen.frames,
        "shadows": seen.shadows,
        "share": round(seen.share, 4),
    }
