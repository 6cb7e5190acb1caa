"""Measures the trained student and draws the pictures of docs/demo-student.md."""

import json
from pathlib import Path

from PIL import Image
from tools.demo_student import losses, pictures, spec, stages
from tools.demo_student.evaluate import (
    SUBSETS,
    Evaluation,
    evaluate,
    held_out_truth,
    load_student,
)
from tools.demo_student.loop import BATCH
from tools.demo_student.metrics import HIGHER_IS_BETTER, NAMES, constant_baselines
from tools.demo_student.page import IMAGES, SAMPLES, keep, table
from tools.demo_student.teachers import TAUGHT

# Held-out scenes for the package, picked for variety before any training.
SAMPLED = (5, 7, 11, 13, 14, 15)


def _figures(result: dict[str, float]) -> list[str]:
    return [f"{result[task]:.2f}" for task in spec.TASK_NAMES]


def subset_table(
    evaluation: Evaluation, first_half: Evaluation, baseline: dict[str, float]
) -> list[str]:
    """Metrics by subset of adapters, under the constant baselines and the first half's."""
    arrow = {True: "↑", False: "↓"}
    head = ["adapters"] + [f"{t}: {NAMES[t]} {arrow[HIGHER_IS_BETTER[t]]}" for t in spec.TASK_NAMES]
    rows = [["*best constant output*", *_figures(baseline)]]
    for subset, label in (((), "stem only"), (spec.TEACHERS, "all")):
        figures = _figures(first_half.by_subset[subset].result())
        rows.append([f"*after the first half: {label}*", *figures])
    for subset in SUBSETS:
        label = " + ".join(subset) if subset else "none (stem only)"
        figures = _figures(evaluation.by_subset[subset].result())
        if subset == spec.TEACHERS:
            label, figures = f"**all: {label}**", [f"**{f}**" for f in figures]
        rows.append([label, *figures])
    return table(head, rows)


def class_table(evaluation: Evaluation) -> list[str]:
    """Intersection over union per class: stem only and all adapters."""
    rows = []
    for label, subset in (("stem only", ()), ("all adapters", spec.TEACHERS)):
        iou = evaluation.by_subset[subset].class_iou()
        rows.append([label, *(f"{value:.1f}" for value in iou)])
    return table(["IoU, %", *spec.CLASSES], rows)


def routing_table(evaluation: Evaluation) -> list[str]:
    """Mean weight of each expert per task over levels and images, and its spread over images."""
    rows = []
    for task in spec.TASK_NAMES:
        weights = evaluation.routing[task]
        mean, spread = weights.mean((0, 1)), weights.std(0).mean(0)
        rows.append([task, *(f"{m:.3f} ± {s:.3f}" for m, s in zip(mean, spread, strict=True))])
    return table(["task", "stem", *spec.TEACHERS], rows)


def teacher_table(folder: Path) -> list[str]:
    """The labelled teachers' last held-out losses beside the student's, task by task."""
    first = pictures.read_log(folder / "tasks.jsonl")[-1]
    second = pictures.read_log(folder / "experts.jsonl")[-1]
    rows = []
    for task in spec.TASK_NAMES:
        taught = [t for t, tasks in TAUGHT.items() if task in tasks]
        theirs = pictures.read_log(folder / f"teacher-{taught[0]}.jsonl")[-1] if taught else {}
        shown = f"{theirs[f'held_out_{task}']:.3f} ({taught[0]})" if taught else "not taught"
        stem, full = second[f"held_out_stem_{task}"], second[f"held_out_{task}"]
        half = first[f"held_out_{task}"]
        rows.append([task, shown, f"{half:.3f}", f"{full:.3f}", f"{stem:.3f}"])
    head = ["held-out loss", "teacher", "after the first half", "after the second", "its stem only"]
    return table(head, rows)


def measure_training(folder: Path) -> None:
    """Evaluate the trained student, draw the pictures, export samples."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    SAMPLES.mkdir(parents=True, exist_ok=True)
    student = load_student(folder / "student.pt")
    truths = held_out_truth()
    evaluation = evaluate(student, truths)
    first_half = evaluate(load_student(folder / "tasks.pt"), truths, ((), spec.TEACHERS))
    baseline = constant_baselines(truths)
    pictures.draw_scenes(truths, IMAGES / "demo-student-scenes.jpg")
    pictures.draw_curves(folder, IMAGES / "demo-student-curves.png")
    pictures.draw_routing(evaluation.routing, IMAGES / "demo-student-routing.png")
    for number, n in enumerate(SAMPLED, 1):
        picture = Image.fromarray(truths[n].scene.image)
        picture.save(SAMPLES / f"part-{number}.jpg", quality=93, optimize=True)
    named = {"+".join(s) or "stem": m.result() for s, m in evaluation.by_subset.items()}
    first = {"+".join(s) or "stem": m.result() for s, m in first_half.by_subset.items()}
    figures = {"baseline": baseline, "first_half": first, "by_subset": named}
    (folder / "metrics.json").write_text(json.dumps(figures, indent=1))
    logs = ("teacher-geometry", "stage1", "tasks", "experts", "normals")
    minutes = [60 * pictures.hours(folder / f"{log}.jsonl") for log in logs]
    count = sum(p.numel() for n, p in student.named_parameters() if "aligners" not in n)
    measured = {
        "train": len(spec.TRAIN_SEEDS),
        "held_out": len(truths),
        "batch": BATCH,
        "teacher_steps": stages.TEACHER_STEPS,
        "stage1_steps": stages.STAGE1_STEPS,
        "tasks_steps": stages.STAGE2_TASKS_STEPS,
        "experts_steps": stages.STAGE2_EXPERTS_STEPS,
        "normals_steps": stages.STAGE2_NORMALS_STEPS,
        "minutes": [f"{m:.0f}" for m in minutes],
        "balance_experts": stages.BALANCE_EXPERTS,
        "adapters_left": ", ".join(f"{share:.0%}" for share in stages.ADAPTERS_LEFT),
        "parameters": f"{count / 1e6:.2f}",
        "balance": ", ".join(f"{task} {weight:g}" for task, weight in losses.BALANCE.items()),
        "subset_table": subset_table(evaluation, first_half, baseline),
        "class_table": class_table(evaluation),
        "routing_table": routing_table(evaluation),
        "teacher_table": teacher_table(folder),
    }
    keep("training", measured)
    print("\n".join(measured["subset_table"]))
