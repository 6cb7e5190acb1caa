"""The scene of the README's picture: which of the held-out ones the student gets right."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from tools.demo_student import spec
from tools.demo_student.scenes import make_scene

import sakedge
from sakedge.assets import demo_student

KINDS = 4
DEFECTS = range(2, 7)  # the classes after background and part


def find_right() -> tuple[int, list[int]]:
    """How many held-out scenes have four kinds of defects, and in which of them all is right.

    Right is that every region of a kind of defect, diagonal neighbours included, meets one of its
    kind in the ground truth, and the other way round.
    """
    seen, right = 0, []
    with sakedge.load(demo_student(), tasks=["semseg"]) as student:
        for number, seed in enumerate(spec.HELD_OUT_SEEDS):
            scene = make_scene(seed)
            if sum((scene.semseg == kind).any() for kind in DEFECTS) < KINDS:
                continue
            seen += 1
            found = student(scene.image)["semseg"].labels
            pairs = ((found == kind, scene.semseg == kind) for kind in DEFECTS)
            if all(_all_meet(a, b) and _all_meet(b, a) for a, b in pairs):
                right.append(number)
    return seen, right


def _all_meet(regions: NDArray[np.bool_], others: NDArray[np.bool_]) -> bool:
    numbered, count = ndimage.label(regions, np.ones((3, 3)))
    return len(np.unique(numbered[regions & others])) == count
