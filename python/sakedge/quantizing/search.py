"""The search for what has to stay in floats, on students that are written and run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sakedge.api import load
from sakedge.evaluating.run import Measurement
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


@dataclass(frozen=True)
class Kept:
    """What stays in floats.

    Attributes:
        floats: Layers of the stem, and components.
        plain_ms: Milliseconds of an image with everything in int8, in the median; None where
            nothing was searched.
        ms: The same with those parts in floats.
    """

    floats: tuple[str, ...]
    plain_ms: float | None
    ms: float | None


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
        self._tried: dict[tuple[str, ...], tuple[list[str], float]] = {}

    def run(self) -> Kept:
        """Finds the fewest parts."""
        failing, plain = self._outcome(())
        if not failing:
            return Kept((), plain, plain)

        some = self._judge.part(RANKED_BY)

        def harm(name: str, parts: Sequence[str]) -> float:
            floats = tuple(part for part in self._made.parts if part not in parts)
            found = self._try(some, f"only {name} in int8", floats, failing)
            return worst(some.judge(found), pessimistic=False)

        def passes(floats: Sequence[str]) -> bool:
            return not self._outcome(floats)[0]

        floats = keep(groups_of(self._made.source), harm, passes)
        return Kept(floats, plain, self._outcome(floats)[1])

    def _outcome(self, floats: Sequence[str]) -> tuple[list[str], float]:
        """With these parts in floats: tasks that lose too much, and milliseconds of an image."""
        key = tuple(part for part in self._made.parts if part in floats)
        if key not in self._tried:
            step = f"{len(key)} parts in floats" if key else "everything in int8"
            found = self._try(self._judge, step, key)
            verdicts = self._judge.judge(found)
            # Written so that NaN fails.
            failing = [task for task, each in verdicts.items() if not each.harm() <= MARGIN]
            self._tried[key] = failing, float(np.median(found.ms))
        return self._tried[key]

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
