"""Compares our outputs with what stock ONNX Runtime computes from the same file."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.api import load
from sakedge.backends import registry
from sakedge.backends.runtimes import DOCTOR_SAYS
from sakedge.checks.tolerances import TOLERANCES
from sakedge.errors import BackendError
from sakedge.format import Manifest, Storage, StudentFile, write_student
from sakedge.format.student.int8 import as_floats
from sakedge.images import ImageLike
from sakedge.images.examples import example, fitted
from sakedge.peers.scratch import scratch
from sakedge.peers.stock import open_stock
from sakedge.progress import Progress
from sakedge.runtime.own_models import AUTO
from sakedge.runtime.precision import (
    FASTEST_FIRST,
    PrecisionChoice,
    choose_precision,
    gainful,
)
from sakedge.runtime.quality import Record
from sakedge.runtime.threads import resolve_threads


@dataclass(frozen=True)
class Comparison:
    """One task on one backend, over all images.

    Attributes:
        backend: The stem's runtime.
        task: The task.
        max_abs_error: Largest difference between two logits.
        range: Largest minus smallest logit of stock ONNX Runtime.
        error: `max_abs_error` relative to `range`.
        rms_error: The root mean square of all differences, relative to `range`.
        agrees: Whether `error` is within the tolerance.
    """

    backend: str
    task: str
    max_abs_error: float
    range: float
    error: float
    rms_error: float
    agrees: bool


@dataclass(frozen=True)
class Verification:
    """What was compared.

    Attributes:
        path: The student.
        digest: The student's content digest.
        images: How many images were compared.
        precision: Ours; stock ONNX Runtime computes in fp32, but for a stem that is quantised.
        reference: What stock ONNX Runtime ran: `the file`, or `its weights in floats`.
        tolerance: Largest error allowed, relative to a task's range.
        comparisons: By backend and task.
        refused: Backends that cannot run here, and why.
    """

    path: str
    digest: str
    images: int
    precision: str
    reference: str
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
    tolerance: float | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Runs a student and stock ONNX Runtime on the same images and compares all logits.

    Of an int8 student, ours at int8 is compared with the file, whose stem both run quantised. At
    another precision we round nothing but the weights, so there stock ONNX Runtime runs the student
    with its weights in floats, written to a temporary file.

    Args:
        path: The student.
        images: Images, stretched to the student's input size; without any, an example.
        backend: A backend, or `auto` for each one that can run here.
        device: As for `sakedge.load`.
        precision: As for `sakedge.load`.
        threads: As for `sakedge.load`.
        tolerance: Largest error allowed, relative to a task's range; None is that of `TOLERANCES`.
        progress: Called with the progress made.

    Raises:
        SakedgeError: The student, an image or the backend cannot be used.
    """
    tell = progress or (lambda step, share: None)
    with StudentFile.open(path) as file:
        manifest, digest = file.manifest, file.content_digest
    if precision == "auto" and backend in registry.OWN_MODELS:
        precision = AUTO
    decided = decide(precision, manifest, digest)
    allowed = TOLERANCES[decided.precision] if tolerance is None else tolerance
    stems = decided.stems(manifest.storage.stem == "int8")
    names, refused = able_backends(backend, device, stems)
    size = manifest.input_size
    pictures = [fitted(image, size) for image in images] or [example(size)]
    total = 1 + len(names) * len(pictures)
    tell("stock ONNX Runtime", 0.0)
    in_floats = manifest.storage.has_int8 and decided.precision != "int8"
    inputs = [_normalised(picture, manifest) for picture in pictures]
    expected = _stock_logits(Path(path), in_floats, inputs, resolve_threads(threads))
    comparisons: list[Comparison] = []
    for i, name in enumerate(names):
        errors = {task: _Errors() for task in manifest.task_names}
        # The same quantised stem, also where evidence would run it in floats.
        quantised = "int8" in stems and registry.probe(name, device, "int8").ok
        config = {"stem": "int8"} if quantised else None
        with load(
            path,
            backend=name,
            device=device,
            precision=decided.precision,
            threads=threads,
            config=config,
        ) as ours:
            for j, (picture, theirs) in enumerate(zip(pictures, expected, strict=True)):
                tell(name, (1 + i * len(pictures) + j) / total)
                result = ours(picture, logits=True)
                for task, seen in errors.items():
                    logits = result[task].logits
                    assert logits is not None
                    seen.add(logits, theirs[task][0])
        comparisons += [seen.compare(name, task, allowed) for task, seen in errors.items()]
    tell("done", 1.0)
    return Verification(
        str(path),
        digest,
        len(pictures),
        decided.precision,
        "its weights in floats" if in_floats else "the file",
        allowed,
        tuple(comparisons),
        dict(refused),
    )


def decide(precision: str, manifest: Manifest, content: str) -> PrecisionChoice:
    """What `load` takes a precision for, in the backends that the file records together.

    Args:
        precision: As for `sakedge.load`.
        manifest: The student's.
        content: Its content digest.

    Raises:
        OptionError: There is no such precision.
    """
    record = Record.of(manifest, content)
    adapters = {name: manifest.digests[f"adapters.{name}"] for name in manifest.adapter_names}
    recorded = [p for p in FASTEST_FIRST if record.passing(p, adapters, manifest.task_names)]
    return choose_precision(precision, gainful(), recorded)


def able_backends(
    name: str, device: str | None, stems: Sequence[str]
) -> tuple[list[str], dict[str, str]]:
    """Those that can run the stem at one of these precisions, and why the others cannot.

    Args:
        name: A backend, or `auto` for all of them.
        device: As for `sakedge.load`.
        stems: The stem's precisions.

    Raises:
        OptionError: The device is no name of one.
        BackendError: None can.
    """
    if name != "auto":
        return [name], {}
    support = {
        each: [registry.probe(each, device, precision) for precision in stems]
        for each in registry.names()
    }
    able = [each for each, answers in support.items() if any(a.ok for a in answers)]
    refused = {each: a[-1].reason for each, a in support.items() if each not in able}
    if not able:
        reasons = "; ".join(f"{each}: {reason}" for each, reason in refused.items())
        raise BackendError(f"no backend can run here: {reasons}", remedy=DOCTOR_SAYS)
    return able, refused


def _stock_logits(
    path: Path, in_floats: bool, inputs: Sequence[NDArray[np.float32]], threads: int
) -> list[Mapping[str, NDArray[np.float32]]]:
    """What stock ONNX Runtime computes from a student, or from its weights in floats."""
    with ExitStack() as stack:
        if in_floats:
            path = _write_floats(path, stack.enter_context(scratch()) / path.name)
        stock = open_stock("onnxruntime", path, threads)
        return [stock.run(image) for image in inputs]


def _write_floats(student: Path, path: Path) -> Path:
    """A student with all its weights dequantised: another file, of the same architecture."""
    fields = ("architecture", "input_size", "levels", "tasks", "adapters", "preprocess")
    with StudentFile.open(student) as file:
        manifest = file.manifest
        kept = {field: getattr(manifest, field) for field in (*fields, "provenance")}
        components = {
            name: {key: t.astype(np.float32) for key, t in as_floats(file.component(name)).items()}
            for name in manifest.components
        }
    floats = Manifest.without_digests(**kept, storage=Storage.uniform("fp32"))
    write_student(path, floats, components)
    return path


@dataclass
class _Errors:
    """Differences of one task's logits, over the images so far."""

    largest: float = 0.0
    extent: float = 0.0
    squares: float = 0.0
    count: int = 0

    def add(self, ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> None:
        difference = np.abs(ours - theirs)
        self.largest = float(np.maximum(self.largest, difference.max()))  # keeps a NaN
        self.extent = max(self.extent, float(np.ptp(theirs)))
        self.squares += float(np.square(difference, dtype=np.float64).sum())
        self.count += difference.size

    def compare(self, backend: str, task: str, tolerance: float) -> Comparison:
        # A constant output has no range; then the difference itself is what counts.
        unit = self.extent or 1.0
        error = self.largest / unit
        rms = math.sqrt(self.squares / self.count) / unit
        # Written so that a NaN disagrees.
        return Comparison(backend, task, self.largest, self.extent, error, rms, error <= tolerance)


def _normalised(picture: NDArray[np.uint8], manifest: Manifest) -> NDArray[np.float32]:
    """`(image - mean) / std` in float64, deliberately not by the code being verified."""
    mean, std = manifest.preprocess.mean, manifest.preprocess.std
    values = (picture / 255 - np.array(mean)) / np.array(std)
    planes: NDArray[np.float32] = values.transpose(2, 0, 1)[np.newaxis].astype(np.float32)
    return planes
