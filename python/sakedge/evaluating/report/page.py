"""Puts an evaluation into the template of the page."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from sakedge.evaluating.ablation import Ablation, Subset
from sakedge.evaluating.evaluation import Evaluation, Score
from sakedge.evaluating.report import experts, figures
from sakedge.evaluating.report.canvas import jpeg
from sakedge.evaluating.report.rendering import templates
from sakedge.files.atomic import atomic_write

_TEMPLATE = "page.html"


def write_report(evaluation: Evaluation, path: Path) -> None:
    """Writes the page.

    Args:
        evaluation: What was found.
        path: The file.

    Raises:
        StorageError: It cannot be written.
    """
    with atomic_write(path) as file:
        file.write(render(evaluation).encode())


def render(evaluation: Evaluation) -> str:
    """The page as text."""
    first = evaluation.runs[0]
    ablation = evaluation.ablation
    return (
        templates()
        .get_template(_TEMPLATE)
        .render(
            evaluation=evaluation,
            first=first,
            values=figures.values(evaluation),
            tasks=[_task(evaluation, name) for name in evaluation.tasks],
            routing=experts.routing(
                first.routing(), evaluation.student["levels"], evaluation.student["experts"]
            )
            if first.measured.routing
            else "",
            ablation=None if ablation is None else _ablation(evaluation, ablation),
            setting=_setting(evaluation),
        )
    )


def _task(evaluation: Evaluation, task: str) -> dict[str, Any]:
    score: Score = evaluation.runs[0].scores[task]
    info = evaluation.infos[task]
    names = info.labels or tuple(map(str, range(info.classes)))
    drawn = [figures.distribution(evaluation.runs, task)]
    if score.classes is not None:
        drawn.append(figures.class_bars(score.classes, names))
    if score.confusion is not None:
        drawn.append(figures.confusion(score.confusion, names))
    if score.curve is not None:
        drawn.append(figures.curve(score.curve))
    return {
        "name": task,
        "kind": info.kind,
        "metric": score.metric,
        "score": score,
        "measured": int(np.isfinite(score.per_image).sum()),
        "figures": drawn,
        "worst": [
            {
                "id": each.id,
                "score": each.score,
                "pictures": {
                    "image": jpeg(each.image),
                    "found": jpeg(each.found),
                    "true": jpeg(each.truth),
                },
            }
            for each in evaluation.worst.get(task, ())
        ],
    }


def _ablation(evaluation: Evaluation, ablation: Ablation) -> dict[str, Any]:
    adapters: Sequence[str] = evaluation.student["experts"][1:]
    return {
        "found": ablation,
        "lives_on": experts.lives_on(evaluation, ablation),
        "added": [experts.added(ablation, task, adapters) for task in evaluation.tasks],
        "pairs": list(combinations(adapters, 2)),
        "sure": experts.is_sure,
        "rows": [_subset(each) for each in ablation.subsets],
    }


def _subset(each: Subset) -> dict[str, Any]:
    return {
        "name": " + ".join(each.adapters) or "stem only",
        "values": each.values,
        "ms": each.ms,
        "mib": each.weight_bytes / 2**20,
    }


def _setting(evaluation: Evaluation) -> dict[str, str]:
    student, data, machine = evaluation.student, evaluation.data, evaluation.machine
    facts = {
        "student": f"{student['path']}, content SHA-256 {student['digest']}",
        "file": f"SHA-256 {student['file_digest']}",
        "input": f"{student['input_size'][0]} x {student['input_size'][1]}, fit {student['fit']}",
        "teachers": ", ".join(f"{k}: {v}" for k, v in student["teachers"].items()) or "none",
        "data set": f"{data['name']}, {data['images']} images, SHA-256 {data['digest']}",
        "CPU": f"{machine['cpu']}, {machine['processors']['usable']} processors usable",
        "system": str(machine["system"]),
        "versions": ", ".join(f"{k} {v}" for k, v in machine["versions"].items()),
    }
    for i, run in enumerate(evaluation.runs, 1):
        told = run.told
        facts[f"run {i}"] = (
            f"{run.name}; {told['model']} model, stem {told['stem_precision']}, decoder "
            f"{told['decoder_precision']} on {told['isa']}, {told['threads']} threads; "
            + ", ".join(f"{k} {v}" for k, v in told["session"].items())
        )
    return facts
