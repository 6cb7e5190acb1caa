"""`sakedge service run`: what the unit starts. `sakedge predict` under a supervisor."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from sakedge.cli.output import remark, say
from sakedge.cli.predict import show
from sakedge.cli.service.options import LinePath
from sakedge.cli.written import Wanted

if TYPE_CHECKING:
    from sakedge.service.line import Line
    from sakedge.service.notify import Supervisor
    from sakedge.sources import FrameError
    from sakedge.student import Student


def run(
    line: LinePath,
    beat: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Touch this file as long as the loop goes on."),
    ] = None,
) -> None:
    """Run a line, and tell the supervisor that started it how it is. SIGTERM ends it in order."""
    import sakedge
    from sakedge.service.line import read_line
    from sakedge.service.notify import Supervisor

    supervisor = Supervisor.of_process(beat_file=beat)
    wanted = read_line(line)
    ending = _Ending(supervisor)
    supervisor.status(f"loading {wanted.student}")
    with sakedge.load(
        wanted.student,
        adapters=wanted.adapters,
        tasks=wanted.tasks,
        backend=wanted.backend,
        device=wanted.device,
        precision=wanted.precision,
        threads=wanted.threads,
        config={"max_pixels": wanted.max_pixels, "site": wanted.site, "warm_up": True},
    ) as student:
        say(f"loaded {wanted.student}: {_described(student)}")
        supervisor.ready("ready, waiting for the first image")
        _stream(student, wanted, supervisor, ending)


def _stream(student: Student, line: Line, supervisor: Supervisor, ending: _Ending) -> None:
    import sakedge

    supervised = _Told(supervisor)
    reconnect = sakedge.Reconnect(
        min(0.5, line.reconnect_pause), line.reconnect_pause, line.give_up_after
    )
    with (
        nullcontext() if line.store is None else closing(student.follow(line.store)),
        student.stream(
            line.source,
            batch=line.batch,
            on_error=supervised.failed,
            reconnect=reconnect,
            fit=line.fit,
            progress=supervised.went_on,
            on_wait=supervisor.beat,
        ) as stream,
    ):
        ending.then(stream.close)
        wanted = Wanted(
            Path(line.output), line.save, line.save_json, line.save_arrays, line.json_lines
        )
        try:
            show(stream, wanted, supervised.went_on, line.limit)
        except typer.Exit:  # frames that could not be used
            if not ending.was_told:
                raise


class _Told:
    """What the loop did, for the supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._failed = 0

    def went_on(self, step: str, share: float | None) -> None:
        """After each result, and each tile of a large image."""
        failed = f"; {self._failed} could not be used" if self._failed else ""
        self._supervisor.beat(f"{step}{failed}")

    def failed(self, frame: FrameError) -> None:
        """Instead of a result."""
        self._failed += 1
        remark(f"sakedge: {frame.error}")
        self._supervisor.beat(f"{self._failed} could not be used; last: {frame.error}")


class _Ending:
    """Ends the loop before its next result when the supervisor says so.

    Attributes:
        was_told: Whether it has.
    """

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._end: Callable[[], object] | None = None
        self.was_told = False
        signal.signal(signal.SIGTERM, self._told)

    def then(self, end: Callable[[], object]) -> None:
        """What ends the loop, now that there is one."""
        self._end = end

    def _told(self, number: int, frame: FrameType | None) -> None:
        self.was_told = True
        self._supervisor.stopping()
        if self._end is None:
            raise typer.Exit
        self._end()


def _described(student: Student) -> str:
    told = student.explain()
    adapters = ", ".join(told.adapters) or "none"
    cache = told.session.get("cache", "none")
    return f"{told.model} in {told.backend}, adapters {adapters}, cache {cache}"
