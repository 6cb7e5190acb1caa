"""Runs the trained student over the held-out scenes, with every subset of its adapters."""

import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from tools.demo_student import data, spec
from tools.demo_student.metrics import Metrics, Truth, truth_of
from tools.demo_student.model import Student
from tools.demo_student.scenes import make_scene
from tools.demo_student.stages import WIDTHS
from torch import Tensor

SUBSETS = tuple(
    subset for size in range(len(spec.TEACHERS) + 1) for subset in combinations(spec.TEACHERS, size)
)
Decoded = dict[str, NDArray[np.generic]]


def load_student(path: Path) -> Student:
    """The student of a stage-2 checkpoint, in evaluation mode."""
    student = Student(WIDTHS)
    student.load_state_dict(torch.load(path, weights_only=True)["model"])
    return student.eval()


def held_out_truth() -> list[Truth]:
    """The held-out scenes with thinned boundaries."""
    with multiprocessing.get_context("spawn").Pool() as pool:
        return pool.map(_truth, spec.HELD_OUT_SEEDS, chunksize=20)


def _truth(seed: int) -> Truth:
    cv2.setNumThreads(1)
    return truth_of(make_scene(seed))


def decode(logits: dict[str, Tensor]) -> list[Decoded]:
    """Logits [B, channels, H/4, W/4] of all tasks to maps at full size, one dict an image."""
    kinds = {task.name: task.kind for task in spec.TASKS}
    maps: dict[str, NDArray[np.generic]] = {}
    for task, logit in logits.items():
        full = F.interpolate(logit, scale_factor=4, mode="bilinear", align_corners=False)
        if kinds[task] == "labels":
            maps[task] = full.argmax(1).to(torch.uint8).numpy()
        elif kinds[task] == "probability":
            maps[task] = full[:, 0].sigmoid().numpy()
        elif kinds[task] == "two_class":
            maps[task] = full.softmax(1)[:, 1].numpy()
        elif kinds[task] == "normals":
            maps[task] = F.normalize(full, dim=1).permute(0, 2, 3, 1).numpy()
        else:
            maps[task] = full[:, 0].clamp(min=0).numpy()
    count = len(next(iter(maps.values())))
    return [{task: values[n] for task, values in maps.items()} for n in range(count)]


def present_of(subset: tuple[str, ...], count: int) -> Tensor:
    """A subset of adapters as the router's mask [count, 1 + T]; the stem is always there."""
    mask = torch.tensor([True] + [teacher in subset for teacher in spec.TEACHERS])
    return mask.expand(count, -1)


@dataclass(frozen=True)
class Evaluation:
    """Results on the held-out scenes.

    Attributes:
        by_subset: metrics per subset of adapters.
        routing: per task [images, levels, 1 + T], all adapters present.
    """

    by_subset: dict[tuple[str, ...], Metrics]
    routing: dict[str, NDArray[np.float32]]


@torch.no_grad()
def evaluate(
    student: Student,
    truths: list[Truth],
    subsets: Sequence[tuple[str, ...]] = SUBSETS,
    batch: int = 10,
) -> Evaluation:
    """Metrics for each subset of adapters, float32 throughout."""
    by_subset = {subset: Metrics() for subset in subsets}
    routing: dict[str, list[Tensor]] = {task: [] for task in spec.TASK_NAMES}
    for start in range(0, len(truths), batch):
        part = truths[start : start + batch]
        image = data.normalise(np.stack([t.scene.image for t in part]))
        experts = student.experts(image)
        for subset, metrics in by_subset.items():
            logits, weights = student.route(experts, present_of(subset, len(part)))
            for truth, found in zip(part, decode(logits), strict=True):
                metrics.add(truth, found)
            if subset == spec.TEACHERS:
                for task, weight in weights.items():
                    routing[task].append(weight)
    return Evaluation(by_subset, {t: torch.cat(w).numpy() for t, w in routing.items()})
