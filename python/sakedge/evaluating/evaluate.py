"""Evaluates a student: configurations, intervals, comparison with the first, ablation."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sakedge.api import load
from sakedge.arguments import callback, in_range, pick, several
from sakedge.errors import OptionError, UnknownAdapterError, shown
from sakedge.evaluating.ablation import ablate as run_ablation
from sakedge.evaluating.baseline import of_tasks, read_baseline
from sakedge.evaluating.evaluation import Evaluation, Run, Score
from sakedge.evaluating.run import measure
from sakedge.evaluating.worst import Worst, worst_images
from sakedge.files.paths import file_path
from sakedge.format import StudentFile
from sakedge.measuring.data import Dataset, as_dataset, check, evenly
from sakedge.measuring.intervals import delta_m
from sakedge.measuring.metrics import Metric
from sakedge.measuring.running import metrics_for
from sakedge.measuring.statistics import Measurement, forget
from sakedge.progress import Progress
from sakedge.runtime import machine
from sakedge.runtime.model import silent
from sakedge.student import Student

Names = Sequence[str] | None


def evaluate(
    student: str | os.PathLike[str],
    data: str | os.PathLike[str] | Dataset,
    *,
    kind: str = "auto",
    backends: Sequence[str] = ("auto",),
    precisions: Sequence[str] = ("auto",),
    adapters: Sequence[Names] = (None,),
    tasks: Names = None,
    baseline: str | os.PathLike[str] | Mapping[str, float] | None = None,
    limit: int | None = None,
    ablate: bool = False,
    pictures: bool = False,
    store: str | os.PathLike[str] | None = None,
    resume: bool = True,
    progress: Progress | None = None,
    **options: Any,
) -> Evaluation:
    """Measures a student on labelled images, in every combination of what is given.

    Args:
        student: A `student.onnx`.
        data: The folder of a data set, or one that is open.
        kind: Its layout: `folder`, `pascal-context`, `nyud-v2`, or `auto` to find out.
        backends: Runtimes, as for `load`.
        precisions: As for `load`.
        adapters: Sets of adapters; None is all, `[]` the stem alone.
        tasks: The tasks to measure; None is all that there is ground truth for.
        baseline: What Δm refers to: a value by task, or a file of JSON with them.
        limit: Measure so many images, taken evenly from the whole data set.
        ablate: Also measure what each adapter is worth, in the first backend and precision.
        pictures: Also draw the images that the first run did worst.
        store: A folder in which what was measured is kept and found by the next evaluation.
        resume: Whether to take what is in the store; else it is emptied when all is checked.
        progress: Called with the progress made.
        **options: Others of `load`: `device`, `threads`, `cache_dir`, `config`.

    Raises:
        DatasetError: The data set or the baseline cannot be used.
        OptionError, UnknownAdapterError, UnknownTaskError: An argument is wrong.
        SakedgeError: The student cannot be loaded, or an image cannot be read or run.
    """
    callback("progress", progress)
    tell = silent if progress is None else progress
    path = file_path("the student", student)
    with StudentFile.open(path) as file:
        manifest, about = file.manifest, _about(path, file)
    opened = as_dataset(data, manifest, kind, tasks)
    if limit is not None:
        in_range("limit", limit, low=1, whole=True)
        opened = evenly(opened, limit)
    metrics = metrics_for(opened, manifest, tasks)
    if baseline is None:
        reference: dict[str, float] = {}
    elif isinstance(baseline, Mapping):
        reference = of_tasks(baseline, metrics, "the baseline")
    else:
        reference = read_baseline(file_path("the baseline", baseline), metrics)
    if isinstance(adapters, str) or not isinstance(adapters, Sequence) or not adapters:
        raise OptionError(
            "no list of adapter sets",
            expected="e.g. [['sam'], None], None being all",
            got=shown(adapters),
        )
    sets = [pick("adapter", s, manifest.adapter_names, UnknownAdapterError) for s in adapters]
    backends, precisions = several("backend", backends), several("precision", precisions)
    check(opened, manifest, tell)
    runs: list[Run] = []
    ablation, worst = None, {}
    kept = None if store is None else file_path("the store", store)
    if kept is not None and not resume:
        forget(kept)
    for backend in backends:
        for precision in precisions:
            tell(f"loading in {backend}, {precision}", 0.0)
            with load(
                path, tasks=list(metrics), backend=backend, precision=precision, **options
            ) as loaded:
                for names in sets:
                    runs.append(_run(loaded, opened, metrics, names, runs, reference, tell, kept))
                if len(runs) == len(sets):
                    worst = _worst(loaded, opened, metrics, runs[0]) if pictures else {}
                    if ablate:
                        ablation = run_ablation(loaded, opened, metrics, progress=tell, store=kept)
    infos = {info.name: info for info in manifest.tasks if info.name in metrics}
    return Evaluation(
        about,
        {"name": opened.name, "digest": opened.digest, "images": len(opened)},
        machine.describe(),
        {task: infos[task] for task in metrics},
        runs,
        reference,
        ablation,
        worst,
    )


def _run(
    student: Student,
    data: Dataset,
    metrics: Mapping[str, Metric],
    adapters: tuple[str, ...],
    before: Sequence[Run],
    baseline: Mapping[str, float],
    progress: Progress,
    store: Path | None,
) -> Run:
    told = student.explain().to_dict()
    title = f"{told['backend']}, {told['precision']}, {' + '.join(adapters) or 'stem only'}"

    def tell(step: str, share: float) -> None:
        progress(f"{title}: {step}", share)

    found = measure(student, data, metrics, adapters=adapters, progress=tell, store=store)
    first: Measurement | None = before[0].measured if before else None
    scores = {
        task: Score.of(
            metric, found.statistics[task], None if first is None else first.statistics[task]
        )
        for task, metric in metrics.items()
    }
    delta = None
    if baseline:
        values = {task: score.found.value for task, score in scores.items()}
        better = {task: metric.higher_is_better for task, metric in metrics.items()}
        delta = delta_m(values, baseline, better)
    return Run(adapters, told, scores, found, delta)


def _worst(
    student: Student, data: Dataset, metrics: Mapping[str, Metric], run: Run
) -> dict[str, list[Worst]]:
    return worst_images(student, data, metrics, run.measured, run.adapters)


def _about(path: Path, file: StudentFile) -> dict[str, Any]:
    manifest = file.manifest
    return {
        "path": str(path),
        "digest": file.content_digest,
        "file_digest": file.file_digest,
        "input_size": list(manifest.input_size),
        "fit": manifest.preprocess.fit,
        "levels": list(manifest.levels),
        "experts": ["stem", *manifest.adapter_names],
        "teachers": {each.name: each.teacher for each in manifest.adapters},
    }
