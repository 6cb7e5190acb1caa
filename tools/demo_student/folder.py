"""Scenes as a data set in a folder, as `sakedge evaluate` reads it (docs/evaluate.md)."""

import json
import multiprocessing
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tools.demo_student import spec
from tools.demo_student.metrics import EDGE_TOLERANCE
from tools.demo_student.scenes import make_board_scene, make_scene


def _write(seed: int, folder: Path, new: bool) -> None:
    """One scene: its image and the ground truth of each task."""
    cv2.setNumThreads(1)
    scene = make_board_scene(seed) if new else make_scene(seed)
    Image.fromarray(scene.image).save(folder / "images" / f"{seed}.png")
    Image.fromarray(scene.semseg).save(folder / "semseg" / f"{seed}.png")
    Image.fromarray(scene.edge.astype(np.uint8)).save(folder / "edge" / f"{seed}.png")
    Image.fromarray(scene.sal.astype(np.uint8)).save(folder / "sal" / f"{seed}.png")
    np.save(folder / "normals" / f"{seed}.npy", scene.normals)
    np.save(folder / "depth" / f"{seed}.npy", scene.depth)


def write_scenes(folder: Path, count: int, first: int | None = None, new: bool = False) -> None:
    """Write scenes of consecutive seeds.

    Args:
        folder: made if it is not there.
        count: how many.
        first: the first one's seed; if None, that of the held-out scenes.
        new: circuit boards, the new product, instead of the parts known before.

    Raises:
        ValueError: Some of them are scenes that the student was trained on.
    """
    trained = spec.BOARD_TRAIN_SEEDS if new else spec.TRAIN_SEEDS
    if first is None:
        first = (spec.BOARD_HELD_OUT_SEEDS if new else spec.HELD_OUT_SEEDS).start
    seeds = range(first, first + count)
    if seeds.start < trained.stop and trained.start < seeds.stop:
        raise ValueError(f"seeds {trained.start} to {trained.stop - 1} are training scenes")
    for name in ("images", *spec.TASK_NAMES):
        (folder / name).mkdir(parents=True, exist_ok=True)
    shown = "circuit boards" if new else "parts"
    about = {
        "name": f"demo scenes, {shown} {seeds.start} to {seeds.stop - 1}",
        "tasks": {"edge": {"edge_tolerance": EDGE_TOLERANCE}},
    }
    (folder / "dataset.json").write_text(json.dumps(about, indent=1) + "\n")
    with multiprocessing.get_context("spawn").Pool() as pool:
        pool.map(partial(_write, folder=folder, new=new), seeds, chunksize=10)
