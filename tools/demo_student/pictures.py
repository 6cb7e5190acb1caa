"""The pictures of docs/demo-student.md: scenes, predictions, curves, routing."""

import json
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from tools.demo_student import spec
from tools.demo_student.evaluate import Decoded
from tools.demo_student.metrics import Truth
from tools.demo_student.scenes import Scene

from sakedge.drawing.colors import heat, perceptual

mpl.use("Agg")
Pixels = NDArray[np.uint8]
PALETTE = np.array(spec.TASKS[0].colors, np.uint8)
LINES = {"texture": "#d1495b", "semantics": "#00798c", "geometry": "#edae49"}
TASK_LINES = ("#d1495b", "#00798c", "#edae49", "#66a182", "#2e4057")
GAP = 6


def _panels(image: Pixels, maps: Decoded, near: float, far: float) -> list[Pixels]:
    """The image and its five maps as pictures."""
    classes = PALETTE[maps["semseg"]]
    overlay = (0.35 * image + 0.65 * classes).astype(np.uint8)
    return [
        image,
        overlay,
        heat(np.asarray(maps["edge"], np.float32)),
        heat(np.asarray(maps["sal"], np.float32)),
        np.asarray((np.asarray(maps["normals"], np.float32) + 1) * 127.5, np.uint8),
        perceptual((np.asarray(maps["depth"], np.float32) - near) / (far - near)),
    ]


def _tile(rows: list[list[Pixels]]) -> Pixels:
    """Pictures side by side on white."""
    side = spec.SIZE
    height, width = len(rows) * (side + GAP) - GAP, len(rows[0]) * (side + GAP) - GAP
    sheet = np.full((height, width, 3), 255, np.uint8)
    for r, row in enumerate(rows):
        for c, picture in enumerate(row):
            y, x = r * (side + GAP), c * (side + GAP)
            sheet[y : y + side, x : x + side] = picture
    return sheet


def _write(sheet: Pixels, path: Path, scale: float = 1.0) -> None:
    """A JPEG for photographs, small enough for a repository."""
    picture = Image.fromarray(sheet)
    if scale != 1.0:
        size = round(sheet.shape[1] * scale), round(sheet.shape[0] * scale)
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    picture.save(path, quality=88, optimize=True)


def draw_scenes(truths: list[Truth], path: Path) -> None:
    """A sheet of held-out scenes, four rows of eight."""
    images = [t.scene.image for t in truths[:32]]
    _write(_tile([images[n : n + 8] for n in range(0, 32, 8)]), path, 0.62)


def _truth_maps(scene: Scene) -> Decoded:
    """A scene's ground truth as a student would give it."""
    return {
        "semseg": scene.semseg,
        "edge": scene.edge,
        "sal": scene.sal,
        "normals": scene.normals,
        "depth": scene.depth,
    }


def _captioned(rows: list[list[Pixels]], captions: list[str]) -> Pixels:
    """Rows of panels under the tasks' names; a row whose caption is not empty begins with it."""
    shown = [
        [np.full_like(row[0], 255), *row[1:]] if caption else row
        for row, caption in zip(rows, captions, strict=True)
    ]
    sheet = _tile(shown)
    head = np.full((40, sheet.shape[1], 3), 255, np.uint8)
    canvas = Image.fromarray(np.vstack([head, sheet]))
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(24)
    for c, title in enumerate(("image", *spec.TASK_NAMES)):
        pen.text((c * (spec.SIZE + GAP) + 8, 6), title, fill=(30, 30, 30), font=font)
    for r, caption in enumerate(captions):
        y = 40 + r * (spec.SIZE + GAP) + 8
        pen.text((8, y), caption, fill=(90, 90, 90), font=font)
    return np.asarray(canvas)


def draw_predictions(scenes: list[Scene], found: list[Decoded], path: Path) -> None:
    """Per scene a row of predictions over a row of ground truth, with headings."""
    rows, captions = [], []
    for scene, maps in zip(scenes, found, strict=True):
        near, far = float(scene.depth.min()), float(scene.depth.max())
        rows += [_panels(scene.image, m, near, far) for m in (maps, _truth_maps(scene))]
        captions += ["", "above: the student\nbeside: ground truth"]
    _write(_captioned(rows, captions), path, 0.62)


def draw_with_and_without(
    scenes: list[Scene], without: list[Decoded], with_: list[Decoded], path: Path
) -> None:
    """Per scene a row without the new adapter, one with it, one of ground truth."""
    rows, captions = [], []
    for scene, before, after in zip(scenes, without, with_, strict=True):
        near, far = float(scene.depth.min()), float(scene.depth.max())
        rows += [_panels(scene.image, m, near, far) for m in (before, after, _truth_maps(scene))]
        captions += ["", "above: without\nbeside: with the\nadapter", "ground truth"]
    _write(_captioned(rows, captions), path, 0.62)


def read_log(path: Path) -> list[dict[str, float]]:
    """A log's rows by step; where training was resumed, the later row counts."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return list({row["step"]: row for row in rows}.values())


def hours(path: Path) -> float:
    """Wall-clock hours of a log; the clock starts again where training was resumed."""
    seconds: list[float] = [json.loads(line)["seconds"] for line in path.read_text().splitlines()]
    ends = [a for a, b in zip(seconds, [*seconds[1:], -1.0], strict=True) if b < a]
    return sum(ends) / 3600


def _curve(axes: Axes, rows: list[dict[str, float]], key: str, color: str, label: str) -> None:
    """Training loss as a thin smoothed line, held-out loss as points."""
    steps = np.array([row["step"] for row in rows])
    values = np.array([row[key] for row in rows])
    width = min(15, len(values))
    smooth = np.convolve(values, np.ones(width) / width, "valid")
    axes.plot(steps[width - 1 :], smooth, color=color, lw=1.2, label=label)
    seen = [(row["step"], row[f"held_out_{key}"]) for row in rows if f"held_out_{key}" in row]
    axes.plot(*zip(*seen, strict=True), "o", color=color, ms=3.5)


def draw_curves(folder: Path, path: Path) -> None:
    """Stage 1 per teacher; both halves of stage 2 per task, with the stem alone as crosses."""
    figure, (one, two, three) = plt.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
    rows = read_log(folder / "stage1.jsonl")
    for teacher in spec.TEACHERS:
        _curve(one, rows, teacher, LINES[teacher], teacher)
    one.set(title="stage 1: distillation", xlabel="step", ylabel="cosine + smooth-L1")
    for axes, log in ((two, "tasks"), (three, "experts")):
        rows = read_log(folder / f"{log}.jsonl")
        for task, color in zip(spec.TASK_NAMES, TASK_LINES, strict=True):
            _curve(axes, rows, task, color, task)
            key = f"held_out_stem_{task}"
            alone = [(row["step"], row[key]) for row in rows if key in row]
            axes.plot(*zip(*alone, strict=True), "x", color=color, ms=5)
        axes.set(xlabel="step", yscale="log", ylim=(0.06, 1.2))
    two.set(title="stage 2, first half: tasks", ylabel="loss (log)")
    three.set(title="stage 2, second half: experts")
    for axes in (one, two, three):
        axes.grid(alpha=0.25)
        axes.legend(frameon=False, fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def draw_routing(routing: dict[str, NDArray[np.float32]], path: Path) -> None:
    """Mean routing weight per task (row), level (group) and expert (column)."""
    experts = ("stem", *spec.TEACHERS)
    figure, all_axes = plt.subplots(
        1, len(spec.LEVELS), figsize=(10, 2.7), sharey=True, layout="constrained"
    )
    for n, axes in enumerate(all_axes):
        table = np.stack([routing[task][:, n].mean(0) for task in spec.TASK_NAMES])
        axes.imshow(table, vmin=0, vmax=1, cmap="Blues", aspect="auto")
        for (r, c), value in np.ndenumerate(table):
            ink = "white" if value > 0.55 else "#222222"
            axes.text(c, r, f"{value:.2f}", ha="center", va="center", color=ink, fontsize=8)
        axes.set_xticks(range(len(experts)), experts, rotation=30, ha="right", fontsize=8)
        axes.set_yticks(range(len(spec.TASK_NAMES)), spec.TASK_NAMES, fontsize=9)
        axes.set_title(f"level {spec.LEVELS[n]}", fontsize=10)
    figure.savefig(path, dpi=110)
    plt.close(figure)
