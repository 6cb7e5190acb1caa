"""How a fresh process loads ours and the stock runtimes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sakedge.api import load
from sakedge.peers.stock import open_stock
from sakedge.peers.types import DECODED, LOGITS, Prepared, Ran, Request


def ours(request: Request) -> Prepared:
    """Ours, timed both to decoded outputs and to logits; options are those of `sakedge.load`."""
    student = load(
        request.student,
        precision=request.contestant.precision,
        threads=request.plan.threads,
        **request.contestant.options,
    )

    def decoded(images: NDArray[np.float32]) -> Ran:
        return Ran(stages_ms=student.infer(images).speed)

    def logits(images: NDArray[np.float32]) -> Ran:
        found = student.infer(images, logits=True)
        by_task: dict[str, list[NDArray[np.float32]]] = {task: [] for task in student.tasks}
        for image in found.images:
            for task, output in image.items():
                assert output.logits is not None
                by_task[task].append(output.logits)
        return Ran(by_task, found.speed)

    return Prepared({DECODED: decoded, LOGITS: logits}, student.explain().to_dict())


def stock(request: Request) -> Prepared:
    """The stock runtime that the contestant is named after, on the whole file."""
    contestant, threads = request.contestant, request.plan.threads
    session = open_stock(contestant.name, Path(request.student), threads, contestant.precision)
    return Prepared({LOGITS: lambda images: Ran(session.run(images))})


def exported(request: Request) -> Prepared:
    """A stock runtime on the student as `sakedge.export` wrote it beforehand.

    Options: `runtime`, its name, and `model`, the exported graph.
    """
    contestant, threads = request.contestant, request.plan.threads
    runtime, model = contestant.options["runtime"], Path(contestant.options["model"])
    session = open_stock(runtime, model, threads, contestant.precision)
    return Prepared({LOGITS: lambda images: Ran(session.run(images))})
