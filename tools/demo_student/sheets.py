"""Pictures of the student that ships, on held-out scenes: for the README and its own page."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image
from tools.demo_student import adapt, pictures, spec
from tools.demo_student.evaluate import Decoded
from tools.demo_student.page import IMAGES
from tools.demo_student.scenes import Scene, make_board_scene, make_scene

import sakedge
from sakedge.assets import demo_student

# Picked for variety, before any training.
SHOWN = (11, 14, 15, 5)
BOARDS_SHOWN = (9, 1, 7)
HERO = 228
"""For the README, by `hero`. What the student does with other scenes is on its own page."""


def draw_sheets() -> None:
    """Draws them. Needs no checkpoint."""
    scenes = [make_scene(spec.HELD_OUT_SEEDS[n]) for n in SHOWN]
    boards = [make_board_scene(spec.BOARD_HELD_OUT_SEEDS[n]) for n in BOARDS_SHOWN]
    with sakedge.load(demo_student()) as student:
        before = [n for n in student.manifest.adapter_names if n != adapt.NEW]
        pictures.draw_predictions(
            scenes, _found(student, scenes, before), IMAGES / "demo-student-tasks.jpg"
        )
        pictures.draw_with_and_without(
            boards,
            _found(student, boards, before),
            _found(student, boards, [*before, adapt.NEW]),
            IMAGES / "demo-student-boards.jpg",
        )
        hero = student(make_scene(spec.HELD_OUT_SEEDS[HERO]).image)
    # Without a time, which would be that of the machine that drew it.
    sheet = Image.fromarray(replace(hero, speed={}).plot())
    sheet.save(IMAGES / "demo.jpg", quality=88, optimize=True)


def _found(
    student: sakedge.Student, scenes: Sequence[Scene], adapters: Sequence[str]
) -> list[Decoded]:
    results = [student(scene.image, adapters=adapters) for scene in scenes]
    return [{task: np.asarray(r[task].values) for task in spec.TASK_NAMES} for r in results]
