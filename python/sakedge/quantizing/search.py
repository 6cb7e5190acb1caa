"""The search for what has to stay in floats, on students that are written and run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from sakedge.api import load
from sakedge.measuring.statistics import Measurement
from sakedge.progress import Progress
from sakedge.quantizing.gate import Judge, steps
from sakedge.quantizing.sensitivity import groups_of, keep
from sakedge.quantizing.student import Int8Student
from sakedge.quantizing.verdict import worst
from sakedge.student import Student

MARGIN = 0.8
"""On the images of the search a task may lose this part of what it may lose on others."""
RANKED_BY = 8
"""Images by which groups are ordered: what ruins a task shows on few."""


TIMED = 9
"""Images by which the cost of floats is measured."""


@dataclass(frozen=True)
class Kept:
    """What stays in floats.

    Attributes:
        floats: Layers of the stem, and components.
        plain_ms: Milliseconds of an image with everything in int8, in the median; None where
            nothing stays in floats.
        ms: The same with those parts in floats, measured in turn.
    """

    floats: tuple[str, ...]
    plain_ms: float | None = None
    ms: float | None = None


class Search:
    """Tries students with some parts in floats on the images of the search.

    Args:
        made: The int8 student.
        judge: Judges by those images.
        backend: In which they are run.
        threads: To compute with.
        folder: For the students' files.
        progress: Called with the progress made.
    """

    def __init__(
        self,
        made: Int8Student,
        judge: Judge,
        backend: str,
        threads: int,
        folder: Path,
        progress: Progress,
    ) -> None:
        self._made = made
        self._judge = judge
        self._backend = backend
        self._threads = threads
        self._path = folder / "tried.onnx"
        self._progress = progress
        self._tried: dict[tuple[str, ...], list[str]] = {}

    def run(self) -> Kept:
        """Finds the fewest parts."""
        failing = self._failing(())
        if not failing:
            return Kept(())

        some = self._judge.part(RANKED_BY)

        def harm(name: str, parts: Sequence[str]) -> float:
            floats = tuple(part for part in self._made.parts if part not in parts)
            found = self._try(some, f"only {name} in int8", floats, failing)
            return worst(some.judge(found), pessimistic=False)

        def passes(floats: Sequence[str]) -> bool:
            return not self._failing(floats)

        floats = keep(groups_of(self._made.source), harm, passes)
        return Kept(floats, *self._times(((), floats)))

    def _failing(self, floats: Sequence[str]) -> list[str]:
        """The tasks that lose too much with these parts in floats."""
        key = tuple(part for part in self._made.parts if part in floats)
        if key not in self._tried:
            step = f"{len(key)} parts in floats" if key else "everything in int8"
            found = self._try(self._judge, step, key)
            verdicts = self._judge.judge(found)
            # Written so that NaN fails.
            self._tried[key] = [t for t, each in verdicts.items() if not each.harm() <= MARGIN]
        return self._tried[key]

    def _times(self, kept: Sequence[Sequence[str]]) -> list[float]:
        """Median milliseconds of an image with these parts in floats, and with those; in turn."""
        spent: list[list[float]] = [[] for _ in kept]
        with ExitStack() as stack:
            students = []
            for i, floats in enumerate(kept):
                path = self._path.with_name(f"timed-{i}.onnx")
                self._made.write(path, floats)
                student = load_int8(path, self._backend, self._threads)
                students.append(stack.enter_context(student))
            data = self._judge.data
            for round_ in range(1 + TIMED):
                self._progress("timing", round_ / (1 + TIMED))
                for student, ms in zip(students, spent, strict=True):
                    ms.append(sum(student(data[round_ % len(data)].image).speed.values()))
        return [median(ms[1:]) for ms in spent]  # the first call warms up

    def _try(
        self, judge: Judge, step: str, floats: Sequence[str], tasks: Sequence[str] | None = None
    ) -> Measurement:
        self._made.write(self._path, floats)
        with load_int8(self._path, self._backend, self._threads) as student:
            return judge.measure(student, steps(step, self._progress), tasks)


def load_int8(path: Path, backend: str, threads: int) -> Student:
    """Loads a student with its stem in int8, also where that is slower than in floats.

    A record holds for other machines too, on which it may be the faster one.
    """
    config = {"stem": "int8"}
    return load(path, backend=backend, precision="int8", threads=threads, config=config)
