"""Compares our outputs with what stock ONNX Runtime computes from the same file."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.api import load
from sakedge.backends import registry
from sakedge.backends.onnxruntime import StockSession
from sakedge.errors import BackendError
from sakedge.examples import example, fitted
from sakedge.format import Manifest, StudentFile
from sakedge.images import ImageLike
from sakedge.options import resolve_precision
from sakedge.threads import resolve_threads

TOLERANCE = 1e-4
"""Of a task's range: what float32 against float32, summed in another order, may differ by."""

Progress = Callable[[str, int, int], None]
"""Called with what is done now, how many steps are done, and how many there are."""


@dataclass(frozen=True)
class Comparison:
    """One task on one backend, over all images.

    Attributes:
        backend: The stem's runtime.
        task: The task.
        max_abs_error: Largest difference between two logits.
        range: Largest less smallest logit of stock ONNX Runtime.
        error: `max_abs_error` relative to `range`.
        agrees: Whether `error` is within the tolerance.
    """

    backend: str
    task: str
    max_abs_error: float
    range: float
    error: float
    agrees: bool


@dataclass(frozen=True)
class Verification:
    """What was compared.

    Attributes:
        path: The student.
        digest: SHA-256 over its components.
        images: How many images were compared.
        tolerance: Largest error allowed, relative to a task's range.
        comparisons: By backend and task.
        refused: Backends that cannot run here, and why.
    """

    path: str
    digest: str
    images: int
    tolerance: float
    comparisons: tuple[Comparison, ...]
    refused: Mapping[str, str]

    @property
    def agrees(self) -> bool:
        """Whether everything is within the tolerance."""
        return all(comparison.agrees for comparison in self.comparisons)

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return {**dataclasses.asdict(self), "agrees": self.agrees}


def verify(
    path: str | Path,
    images: Sequence[ImageLike] = (),
    *,
    backend: str = "auto",
    device: str | None = None,
    precision: str = "fp32",
    threads: int | None = None,
    tolerance: float = TOLERANCE,
    progress: Progress | None = None,
) -> Verification:
    """Runs a student and stock ONNX Runtime on the same images and compares all logits.

    Args:
        path: The student.
        images: Images, stretched to the student's input size; without any, an example.
        backend: A backend, or `auto` for each one that can run here.
        device: As for `sakedge.load`.
        precision: As for `sakedge.load`.
        threads: As for `sakedge.load`.
        tolerance: Largest error allowed, relative to a task's range.
        progress: Told of each step.

    Raises:
        SakedgeError: The student, an image or the backend cannot be used.
    """
    tell = progress or (lambda step, done, total: None)
    names, refused = _backends(backend, device, resolve_precision(precision)[0])
    with StudentFile.open(path) as file:
        manifest, digest = file.manifest, file.digest
    size = manifest.input_size
    pictures = [fitted(image, size) for image in images] or [example(size)]
    total = 1 + len(names) * len(pictures)
    tell("stock ONNX Runtime", 0, total)
    stock = StockSession(Path(path), resolve_threads(threads))
    expected = [stock.run(_normalised(picture, manifest)) for picture in pictures]
    del stock
    comparisons: list[Comparison] = []
    for i, name in enumerate(names):
        errors = {task: [0.0, 0.0] for task in manifest.task_names}
        with load(path, backend=name, device=device, precision=precision, threads=threads) as ours:
            for j, (picture, theirs) in enumerate(zip(pictures, expected, strict=True)):
                tell(name, 1 + i * len(pictures) + j, total)
                result = ours(picture, logits=True)
                for task, seen in errors.items():
                    logits = result[task].logits
                    assert logits is not None
                    seen[0] = max(seen[0], float(np.abs(logits - theirs[task][0]).max()))
                    seen[1] = max(seen[1], float(np.ptp(theirs[task][0])))
        comparisons += [
            _compare(name, task, difference, extent, tolerance)
            for task, (difference, extent) in errors.items()
        ]
    tell("done", total, total)
    return Verification(
        str(path), digest, len(pictures), tolerance, tuple(comparisons), dict(refused)
    )


def _backends(name: str, device: str | None, precision: str) -> tuple[list[str], dict[str, str]]:
    if name != "auto":
        return [name], {}
    support = {each: registry.probe(each, device, precision) for each in registry.names()}
    able = [each for each, answer in support.items() if answer.ok]
    refused = {each: answer.reason for each, answer in support.items() if not answer.ok}
    if not able:
        reasons = "; ".join(f"{each}: {reason}" for each, reason in refused.items())
        raise BackendError(f"no backend can run the stem: {reasons}")
    return able, refused


def _compare(
    backend: str, task: str, difference: float, extent: float, tolerance: float
) -> Comparison:
    # A constant output has no range; then the difference itself is what counts.
    error = difference / extent if extent else difference
    # Written so that a NaN disagrees.
    return Comparison(backend, task, difference, extent, error, error <= tolerance)


def _normalised(picture: NDArray[np.uint8], manifest: Manifest) -> NDArray[np.float32]:
    """`(image - mean) / std` in float64, on purpose not by the code that is being verified."""
    mean, std = manifest.preprocess.mean, manifest.preprocess.std
    values = (picture / 255 - np.array(mean)) / np.array(std)
    planes: NDArray[np.float32] = values.transpose(2, 0, 1)[np.newaxis].astype(np.float32)
    return planes
