"""How a fresh process loads ours and the stock runtimes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sakedge.api import load
from sakedge.backends import registry
from sakedge.errors import BackendError
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


def onnxruntime(request: Request) -> Prepared:
    """Stock ONNX Runtime on the whole file."""
    from sakedge.backends.onnxruntime.backend import StockSession

    if request.contestant.precision != "fp32":
        raise BackendError("ONNX Runtime runs this file in fp32 only")
    session = StockSession(Path(request.student), request.plan.threads)
    return Prepared({LOGITS: lambda images: Ran(session.run(images))})


def openvino(request: Request) -> Prepared:
    """Stock OpenVINO on the whole file."""
    from sakedge.backends.openvino.backend import StockSession

    precision = request.contestant.precision
    support = registry.probe("openvino", "CPU", precision)
    if not support.ok:
        raise BackendError(f"OpenVINO cannot run here: {support.reason}")
    session = StockSession(Path(request.student), request.plan.threads, precision)
    return Prepared({LOGITS: lambda images: Ran(session.run(images))})
