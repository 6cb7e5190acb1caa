"""`quantize`: from a student in floats to one in int8 that has passed the gate, or to none."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from sakedge import __version__
from sakedge.api import load
from sakedge.arguments import callback
from sakedge.errors import OptionError
from sakedge.files.paths import file_path
from sakedge.files.targets import check_target, followed, refuse_inputs
from sakedge.format import Manifest, QualityEntry, StudentFile
from sakedge.measuring.data import Dataset
from sakedge.peers.scratch import scratch
from sakedge.progress import Progress
from sakedge.quantizing import images
from sakedge.quantizing.calibration import observe
from sakedge.quantizing.data import Answered
from sakedge.quantizing.gate import Judge, steps
from sakedge.quantizing.images import ThreeSets
from sakedge.quantizing.options import Options
from sakedge.quantizing.report import Quantization, require
from sakedge.quantizing.search import Kept, Search, load_int8
from sakedge.quantizing.smoothing import Fitted, can_be_smoothed, fit
from sakedge.quantizing.student import Int8Student
from sakedge.quantizing.verdict import Verdict
from sakedge.runtime.model import silent
from sakedge.runtime.threads import resolve_threads
from sakedge.sources import SourceLike
from sakedge.student import Student


def quantize(
    student: str | os.PathLike[str],
    calibration: SourceLike,
    output: str | os.PathLike[str],
    *,
    evaluation: str | os.PathLike[str] | Dataset | None = None,
    kind: str = "auto",
    ranges: str = "minmax",
    smooth: bool = True,
    search: bool = True,
    max_drop: float | None = None,
    task_drops: Mapping[str, float] | None = None,
    backends: str | Sequence[str] | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Quantization:
    """Quantises a student to int8 and writes it, if no task loses more than is allowed.

    Three sets of images that share none do three things: one calibrates, one finds what has to stay
    in floats, and by the last one the student is judged.

    Args:
        student: A `student.onnx` in fp32 or fp16.
        calibration: Images like those that the student will see: a folder, a glob, or a list.
        output: The file to write; replaced atomically. Nothing is written if a task fails.
        evaluation: A data set (`docs/evaluate.md`), which is divided for the search and the
            judgement; without it the calibration images are divided in three. A task without ground
            truth is judged by its agreement with fp32.
        kind: Layout of the data set's folder; `auto` finds out.
        ranges: How the range of a layer's input is chosen: `minmax`, `percentile` or `entropy`.
        smooth: Whether outliers of the inputs may be moved into the weights, where that helps.
        search: Whether what loses too much may stay in floats.
        max_drop: The largest drop of a task's metric, as a share of its value at fp32. By default
            0.01; without labels 0.05, of disagreement with fp32.
        task_drops: The same for single tasks.
        backends: Runtimes in which it is judged; None is all that can run here.
        threads: As for `sakedge.load`.
        progress: Called with the current step and the share done.

    Returns:
        What was done and found.

    Raises:
        QualityError: A task loses more than is allowed; the message says how much.
        FileFormatError: The file is not a student, or is damaged; the subclass names the cause.
        DatasetError: There are too few images, images in more than one set, or the data set cannot
            be used.
        SourceError, ImageError: The calibration images cannot be used.
        OptionError, UnknownTaskError, UnknownBackendError: An argument is wrong, the student is
            int8 already, or `output` is the student itself.
        BackendError: A runtime cannot run here, or failed.
        StorageError: A file cannot be read or written.
    """
    callback("progress", progress)
    tell = silent if progress is None else progress
    source, target = file_path("the student", student), file_path("the int8 student", output)
    with StudentFile.open(source) as file:
        refuse_inputs(target, file.files)
        check_target(followed(target))
        _refuse_int8(file)
        options = Options.checked(
            file.manifest,
            ranges=ranges,
            smooth=smooth,
            search=search,
            max_drop=max_drop,
            task_drops=task_drops,
            backends=backends,
            threads=resolve_threads(threads),
        )
        divided = images.choose(calibration, evaluation, kind, file.manifest, tell)
        fitted = _fitted(file, divided, options, tell)
        made = Int8Student(file, fitted, f"sakedge {__version__}")
    with (
        scratch() as folder,
        load(source, backend=options.backends[0], precision="fp32", threads=threads) as reference,
    ):
        kept = _searched(made, divided, reference, options, folder, tell)
        path = folder / "student.onnx"
        manifest = made.write(path, kept.floats)
        verdicts, entries = _judged(path, manifest, divided, reference, options, folder, tell)
        require(source.name, verdicts)
        manifest = made.write(target, kept.floats, entries, tell)
    return Quantization(
        path=target,
        manifest=manifest,
        fitted=fitted,
        kept=kept,
        share=1 - made.weights(kept.floats) / made.weights(made.parts),
        verdicts=verdicts,
        images=(len(divided.calibration), len(divided.search), len(divided.judge)),
    )


def _refuse_int8(file: StudentFile) -> None:
    if file.manifest.storage.has_int8:
        raise OptionError(
            f"{file.path.name} is int8 already",
            expected="a student in fp32 or fp16",
            got=f"weights in {file.manifest.storage}",
            remedy="Quantise the student that it was made from",
        )


def _fitted(
    file: StudentFile, divided: ThreeSets, options: Options, tell: Progress
) -> dict[str, Fitted]:
    seen = observe(file, divided.calibration, threads=options.threads, progress=tell)
    stem = file.component("stem")
    fitted = {}
    for i, (layer, inputs) in enumerate(seen.items()):
        tell("quantising the stem", i / len(seen))
        weight = np.asarray(stem[f"{layer}.weight"], np.float32)
        smooth = options.smooth and can_be_smoothed(layer)
        fitted[layer] = fit(weight, inputs, options.ranges, smooth=smooth)
    return fitted


def _searched(
    made: Int8Student,
    divided: ThreeSets,
    reference: Student,
    options: Options,
    folder: Path,
    tell: Progress,
) -> Kept:
    if not options.search:
        return Kept(())
    data = Answered(divided.search, reference, folder / "search")
    judge = Judge.of(data, reference, options, tell)
    return Search(made, judge, options.backends[0], options.threads, folder, tell).run()


def _judged(
    path: Path,
    manifest: Manifest,
    divided: ThreeSets,
    reference: Student,
    options: Options,
    folder: Path,
    tell: Progress,
) -> tuple[dict[str, dict[str, Verdict]], list[QualityEntry]]:
    """Judges a file in each runtime: the verdicts by runtime, and what is to be recorded."""
    data = Answered(divided.judge, reference, folder / "judge")
    judge = Judge.of(data, reference, options, tell)
    verdicts, entries = {}, []
    for backend in options.backends:
        with load_int8(path, backend, options.threads) as ours:
            found = judge.judge(judge.measure(ours, steps(f"int8 in {backend}", tell)))
            told = ours.explain()
        runtime = f"{told.session['runtime']} {told.session['version']}"
        verdicts[runtime] = found
        entries.append(
            QualityEntry(
                content=told.digest,
                adapters={x: told.digests[f"adapters.{x}"] for x in told.adapters},
                precision="int8",
                runtime=runtime,
                tool=manifest.provenance.tool,
                tasks={task: verdict.quality() for task, verdict in found.items()},
            )
        )
    return verdicts, entries
