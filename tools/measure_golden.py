"""How much golden images show: `python -m tools.measure_golden`, for docs/canary.md.

Runs the demo student on rendered parts as it is, with an adapter that has noise in its weights (or
without it: `--noise none`), and prints how far the bad end of a task's interval is above the drop
itself, in per cent of the metric's value: the mean over draws of so many images. Then, for the
watch: of how many other scenes a figure lies beyond what the first of them allow.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tools.demo_student.folder import write_scenes

import sakedge
from sakedge.assets import demo_student
from sakedge.canary.evidence import CHANCE, LEAST_DIFFERENCE
from sakedge.canary.spread import Spread
from sakedge.canary.weights import LEAST_WEIGHT, weight_of
from sakedge.format import StudentFile, extract_part, write_pack
from sakedge.measuring.data import open_dataset
from sakedge.measuring.intervals import distance, relative_drop
from sakedge.measuring.metrics import agreement_for
from sakedge.measuring.running import metrics_for

Rows = dict[str, list[Any]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.measure_golden", description=__doc__)
    parser.add_argument("--adapter", default="semantics")
    parser.add_argument("--noise", default="0.3", help="of the weights' own spread, or none")
    parser.add_argument("--scenes", type=int, default=256, help="rendered, from which is drawn")
    parser.add_argument("--images", type=int, nargs="+", default=[16, 32, 64, 128])
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--golden", type=int, default=32, help="scenes that a watch has seen")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        write_scenes(Path(made, "scenes"), given.scenes)
        pack = None if given.noise == "none" else Path(made, "noisy.safetensors")
        if pack is not None:
            _write_noisy(pack, given.adapter, float(given.noise))
        with sakedge.load(demo_student(), precision="fp32") as student:
            data = open_dataset(Path(made, "scenes"), student.manifest)
            metrics = metrics_for(data, student.manifest, data.tasks)
            agreements = {task.name: agreement_for(task) for task in student.manifest.tasks}
            old, new, differ, weights = _measure(student, data, metrics, agreements, given, pack)
    print(f"| images | {' | '.join(f'{task}: {each.name}' for task, each in metrics.items())} |")
    print(f"|---:|{'---:|' * len(metrics)}")
    random = np.random.default_rng(0)
    for images in given.images:
        draws = [random.choice(given.scenes, images, replace=False) for _ in range(given.draws)]
        row = [
            np.mean([_room(metric, old[task], new[task], drawn) for drawn in draws])
            for task, metric in metrics.items()
        ]
        print(f"| {images} | {' | '.join(f'{each:.2g}' for each in row)} |")
    chance = CHANCE / (2 * len(metrics))
    for what, figures, least in (
        ("weight", weights, LEAST_WEIGHT),
        ("output", differ, LEAST_DIFFERENCE),
    ):
        shares = {
            task: _beyond(each, given.golden, chance, least) for task, each in figures.items()
        }
        print(f"{what} beyond: " + ", ".join(f"{task} {s:.1%}" for task, s in shares.items()))


def _write_noisy(to: Path, name: str, share: float) -> None:
    random = np.random.default_rng(0)
    with StudentFile.open(demo_student()) as file:
        pack = extract_part(file, f"adapters.{name}", storage="fp32")
        tensors = {
            key: (each + random.normal(0, share * each.std(), each.shape)).astype(each.dtype)
            for key, each in pack.tensors.items()
        }
        write_pack(to, pack.manifest, tensors)


def _measure(
    student: sakedge.Student,
    data: Any,
    metrics: Mapping[str, Any],
    agreements: Mapping[str, Any],
    given: argparse.Namespace,
    pack: Path | None,
) -> tuple[Rows, Rows, Rows, Rows]:
    """By task and image: statistics before and after, the share that differs, the weight."""
    before = [student(data[i].image) for i in range(len(data))]
    if pack is None:
        student.adapters.remove(given.adapter)
    else:
        student.adapters.swap(given.adapter, pack)
    old, new, differ, weights = ({task: [] for task in metrics} for _ in range(4))
    for i, was in enumerate(before):
        example = data[i]
        result = student(example.image)
        for task, metric in metrics.items():
            old[task].append(metric.measure(was[task].values, example.truth[task]))
            new[task].append(metric.measure(result[task].values, example.truth[task]))
            moved = agreements[task].measure(result[task].values, was[task].values)
            differ[task].append(float(distance(agreements[task], moved)))
            weights[task].append(weight_of(was.routing[task], [given.adapter]))
    return old, new, differ, weights


def _room(metric: Any, old: list[Any], new: list[Any], drawn: NDArray[np.int64]) -> float:
    drop = relative_drop(metric, np.stack(old)[drawn], np.stack(new)[drawn])
    return 100 * (drop.high - drop.value)


def _beyond(figures: list[float], golden: int, chance: float, least: float) -> float:
    """Of single scenes, those that would undo an exchange on a line that shows nothing else."""
    spread, others = Spread.of(figures[:golden]), np.array(figures[golden:])
    return float((abs(others - spread.mean) > max(spread.away(chance), least)).mean())


if __name__ == "__main__":
    main()
