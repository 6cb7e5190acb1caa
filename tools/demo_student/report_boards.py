"""Measures what the new product's adapter is worth, on the file, as a user would run it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image
from tools.demo_student import adapt, pictures, spec
from tools.demo_student.folder import write_scenes
from tools.demo_student.page import SAMPLES, keep, table
from tools.demo_student.scenes import make_board_scene

import sakedge
from sakedge.evaluating.run import measure
from sakedge.measuring.data import open_dataset
from sakedge.measuring.intervals import Estimate, gain
from sakedge.measuring.metrics import Metric
from sakedge.measuring.running import metrics_for
from sakedge.measuring.statistics import Measurement

SAMPLED = (9, 7)
MILLI = {"depth": 1000.0}  # metres to millimetres
UNITS = {"depth": "mm"}


def _measure(
    student: sakedge.Student, folder: Path, name: str, new: bool
) -> tuple[dict[str, Metric], Measurement, Measurement]:
    """Held-out scenes of one kind: the metrics, without the new adapter, with it."""
    scenes = folder / name
    if not (scenes / "dataset.json").exists():
        seeds = spec.BOARD_HELD_OUT_SEEDS if new else spec.HELD_OUT_SEEDS
        write_scenes(scenes, len(seeds), new=new)
    found = open_dataset(scenes, student.manifest)
    metrics = metrics_for(found, student.manifest)
    store = folder / "measured"
    before = [n for n in student.manifest.adapter_names if n != adapt.NEW]
    without = measure(student, found, metrics, adapters=before, store=store)
    return metrics, without, measure(student, found, metrics, store=store)


def gain_table(
    metrics: Mapping[str, Metric], without: Measurement, with_: Measurement
) -> list[str]:
    """Each task without and with the adapter, and the gain with its paired interval."""
    rows = []
    for task, metric in metrics.items():
        scale = MILLI.get(task, 1.0)
        before, after = (
            scale * float(metric.value(m.statistics[task].sum(0))) for m in (without, with_)
        )
        won = gain(metric, without.statistics[task], with_.statistics[task])
        arrow = "↑" if metric.higher_is_better else "↓"
        unit = UNITS.get(task, metric.unit)
        rows.append([f"{task}: {metric.name}, {unit} {arrow}", f"{before:.2f}", f"{after:.2f}"])
        rows[-1].append(_interval(won, scale))
    return table(["", "without", "with", "gain (95 %)"], rows)


def _interval(won: Estimate, scale: float) -> str:
    # Three decimals, as on the parts two would be noughts. The sum turns -0.0 into 0.0.
    value, low, high = (round(scale * x, 3) + 0.0 for x in (won.value, won.low, won.high))
    return f"{value:+.3f} ({low:+.3f} to {high:+.3f})"


def routing_table(known: Measurement, boards: Measurement) -> list[str]:
    """Mean weight of the new expert over levels and images, and the farthest from it."""
    rows = []
    for task in spec.TASK_NAMES:
        on_known, on_boards = known.routing[task][..., -1], boards.routing[task][..., -1]
        row = [f"{on_known.mean():.4f}", f"{on_known.max():.4f}"]
        rows.append([task, *row, f"{on_boards.mean():.4f}", f"{on_boards.min():.4f}"])
    return table(["task", "parts: mean", "parts: most", "boards: mean", "boards: least"], rows)


def class_table(metric: Any, without: Measurement, with_: Measurement) -> list[str]:
    """Intersection over union per class on the boards."""
    rows = []
    for label, measured in (("without", without), ("with", with_)):
        iou = metric.class_iou(measured.statistics["semseg"].sum(0))
        rows.append([label, *(f"{value:.1f}" for value in iou)])
    return table(["IoU, %", *spec.CLASSES], rows)


def measure_boards(folder: Path) -> None:
    """Held-out parts and boards, without and with the adapter; pictures and samples of boards."""
    path = folder / "student-fp16.onnx"
    with sakedge.load(path) as student:
        metrics, parts_without, parts_with = _measure(student, folder, "parts", new=False)
        _, boards_without, boards_with = _measure(student, folder, "boards", new=True)
        held_out = list(spec.BOARD_HELD_OUT_SEEDS)
    for number, n in enumerate(SAMPLED, 1):
        sample = Image.fromarray(make_board_scene(held_out[n]).image)
        sample.save(SAMPLES / f"{adapt.NEW}-{number}.jpg", quality=93, optimize=True)
    minutes = 60 * pictures.hours(folder / f"{adapt.NEW}.jsonl")
    measured = {
        "train": len(spec.BOARD_TRAIN_SEEDS) - adapt.WATCHED,
        "watched": adapt.WATCHED,
        "held_out": len(held_out),
        "known": adapt.KNOWN,
        "steps": adapt.STEPS,
        "batch": adapt.BATCH,
        "band": adapt.BAND,
        "minutes": f"{minutes:.0f}",
        "parameters": _parameters(),
        "gain_table": gain_table(metrics, boards_without, boards_with),
        "parts_table": gain_table(metrics, parts_without, parts_with),
        "class_table": class_table(metrics["semseg"], boards_without, boards_with),
        "routing_table": routing_table(parts_with, boards_with),
    }
    keep("boards", measured)
    for name in ("gain_table", "parts_table", "routing_table"):
        print("\n".join(measured[name]))


def _parameters() -> str:
    """Of the path, its norms and its rows in the gates, in millions."""
    c, hidden = spec.CHANNELS, spec.CHANNELS // 4
    path = (spec.DEPTH + 1) * (2 * c * hidden + hidden + c)
    norms = len(spec.LEVELS) * 2 * c
    gates = len(spec.LEVELS) * len(spec.TASKS) * (c // 2 + 1)
    return f"{(path + norms + gates) / 1e6:.2f}"
