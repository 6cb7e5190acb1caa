"""The search for what has to stay in floats, on students that are written and run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sakedge.api import load
from sakedge.evaluate.run import Measurement
from sakedge.progress import Progress
from sakedge.quantizing.gate import Judge, worst
from sakedge.quantizing.sensitivity import groups_of, keep
from sakedge.quantizing.student import Int8Student
from sakedge.student import Student

MARGIN = 0.8
"""On the images of the search a task may lose this part of what it may lose on others."""


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
        self._ms: dict[tuple[str, ...], float] = {}

    def run(self) -> Kept:
        """Finds the fewest parts."""
        failing = self._failing(())
        plain = self._ms[()]
        if not failing:
            return Kept((), plain, plain)

        def harm(name: str, parts: Sequence[str]) -> float:
            floats = tuple(part for part in self._made.parts if part not in parts)
            found = self._try(f"only {name} in int8", floats, failing)
            return worst(self._judge.judge(found), pessimistic=False)

        def passes(floats: Sequence[str]) -> bool:
            return not self._failing(tuple(floats))

        floats = keep(groups_of(self._made.source), harm, passes)
        self._failing(floats)
        return Kept(floats, plain, self._ms[floats])

    def _failing(self, floats: tuple[str, ...]) -> list[str]:
        """Tasks that lose too much with these parts in floats."""
        step = f"{len(floats)} parts in floats" if floats else "everything in int8"
        found = self._try(step, floats)
        self._ms[floats] = float(np.median(found.ms))
        verdicts = self._judge.judge(found)
        # Written so that NaN fails.
        return [task for task, verdict in verdicts.items() if not verdict.harm() <= MARGIN]

    def _try(
        self, step: str, floats: tuple[str, ...], tasks: Sequence[str] | None = None
    ) -> Measurement:
        self._made.write(self._path, floats)
        with load_int8(self._path, self._backend, self._threads) as student:
            return self._judge.measure(
                student, lambda image, share: self._progress(f"{step}: {image}", share), tasks
            )


def load_int8(path: Path, backend: str, threads: int) -> Student:
    """Loads a student with its stem in int8, also where that is slower than in floats.

    A record holds for other machines too, on which it may be the faster one.
    """
    config = {"stem": "int8"}
    return load(path, backend=backend, precision="int8", threads=threads, config=config)
