"""A call that has begun: what was asked for is checked, and its snapshots are taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sakedge.adapters.snapshot import Snapshot
from sakedge.errors import ImageError, NumericError
from sakedge.images import Picture
from sakedge.progress import Progress
from sakedge.result import Result, Routing
from sakedge.runtime.model import Call, Model, Outcome
from sakedge.runtime.quality import Quality
from sakedge.tasks import task_result


def runs_of(images: Sequence[Any], most: int) -> Iterator[list[list[int]]]:
    """Cuts a call into runs: the numbers of its images, those of one image together.

    Args:
        images: The images. The same one several times in a row, as an object, is one.
        most: Different images in a run.
    """
    run: list[list[int]] = []
    for i, image in enumerate(images):
        if run and image is images[i - 1]:
            run[-1].append(i)
            continue
        if len(run) == most:
            yield run
            run = []
        run.append([i])
    if run:
        yield run


@dataclass(frozen=True)
class BegunCall:
    """Runs images on the snapshots that were taken when the call began.

    Attributes:
        model: What runs.
        levels: Block indices at which the student routes.
        snapshots: One per image of the call.
        fit: `pad`, `letterbox` or `tile`.
        logits: Whether logits are kept.
        progress: Called with the progress of long work.
        quality: What is known of the quality of what runs.
        observe: Called with each picture and its result.
    """

    model: Model
    levels: tuple[int, ...]
    snapshots: Sequence[Snapshot]
    fit: str
    logits: bool
    progress: Progress
    quality: Quality
    observe: Callable[[Picture, Result], None] | None = None

    def run(self, pictures: Sequence[Picture], start: int = 0) -> list[Result]:
        """Runs the images of the call from number `start` on."""
        snapshots = self.snapshots[start : start + len(pictures)]
        call = Call(pictures, snapshots, self.fit, self.logits, self.progress)
        outcomes = self.model.run(call)
        results = [
            self._result(picture, outcome)
            for picture, outcome in zip(pictures, outcomes, strict=True)
        ]
        if self.observe is not None:
            for picture, result in zip(pictures, results, strict=True):
                self.observe(picture, result)
        return results

    def run_each(self, pictures: Sequence[Picture]) -> list[Result | ImageError | NumericError]:
        """Runs all images together; if one of them cannot be used, each alone."""
        try:
            return [*self.run(pictures)]
        except (ImageError, NumericError) as error:
            if len(pictures) == 1:
                return [error]
        return [self._run_alone(picture, i) for i, picture in enumerate(pictures)]

    def _run_alone(self, picture: Picture, number: int) -> Result | ImageError | NumericError:
        try:
            (result,) = self.run([picture], number)
        except (ImageError, NumericError) as error:
            return error
        return result

    def _result(self, picture: Picture, outcome: Outcome) -> Result:
        snapshot, told = outcome.snapshot, self.model.explain(outcome.snapshot)
        outputs = {}
        for task in snapshot.tasks:
            output = outcome.outputs[task.name]
            assert output.values is not None
            outputs[task.name] = task_result(task, output.values, output.logits)
        return Result(
            outputs,
            picture.as_uint8(),
            picture.source,
            snapshot.full_names,
            {
                task: Routing(weights, self.levels, snapshot.experts)
                for task, weights in outcome.routing.items()
            },
            outcome.speed,
            self.fit,
            snapshot.student,
            snapshot.ids,
            picture.frame,
            told.model,
            told.backend,
            self.quality.at(told).judge(snapshot)[0],
        )
