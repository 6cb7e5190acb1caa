"""PASCAL-Context as the multi-task literature has it, with VOC's segmentation and distilled labels.

ImageSets/Context/val.txt           names of the images
JPEGImages/<id>.jpg
semseg/VOC12/<id>.png               21 classes; semseg/pascal-context/ where VOC has none
human_parts/<id>.mat                masks of objects and of their parts
sal_distill/<id>.png, normals_distill/<id>.png
pascal-context/trainval/<id>.mat    459 categories, whose outlines are the edges
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sakedge.errors import DatasetError
from sakedge.measuring.data.base import IGNORE
from sakedge.measuring.data.files import FileDataset
from sakedge.measuring.data.raw import read_mat, read_values, read_vectors
from sakedge.measuring.data.splits import files_named, images_named, listed
from sakedge.measuring.data.truth import Truths
from sakedge.measuring.metrics.table import Rules
from sakedge.tasks import TaskInfo

MARK = "ImageSets/Context"
"""The folder by which the layout is known."""
RULES = Rules(edge_tolerance=0.0075)
WITHOUT_PEOPLE = Rules(background=0)
"""Of `human_parts`: an image without people does not count."""
_CATEGORIES = "pascal-context/trainval"
_PERSON = 15

# The parts of a person that the files distinguish → head, torso, upper and lower arms and legs.
_PARTS = {
    1: "hair head lear lebrow leye mouth nose rear rebrow reye",
    2: "neck torso",
    3: "luarm ruarm",
    4: "lhand llarm rhand rlarm",
    5: "luleg ruleg",
    6: "lfoot llleg rfoot rlleg",
}
_PART = {name: number for number, names in _PARTS.items() for name in names.split()}

# Normals were distilled from a net that knows indoor scenes, and count only on what NYUD-v2 has
# a category of the same name for (and on `tvmonitor`): these of the 459 categories.
# fmt: off
_WITH_NORMALS = (
    3, 4, 6, 9, 10, 11, 13, 15, 17, 18, 22, 23, 29, 30, 33, 34, 36, 37, 38, 39, 41, 43, 46, 49,
    50, 51, 53, 55, 56, 59, 61, 62, 65, 66, 68, 69, 72, 73, 78, 83, 84, 85, 87, 88, 95, 96, 101,
    104, 105, 107, 111, 113, 115, 122, 124, 135, 141, 142, 143, 146, 150, 154, 157, 158, 159,
    165, 172, 174, 181, 183, 184, 191, 193, 195, 197, 199, 202, 213, 215, 216, 219, 220, 223,
    225, 228, 230, 232, 233, 238, 239, 242, 243, 246, 250, 251, 252, 255, 260, 261, 263, 269,
    272, 273, 275, 281, 283, 284, 285, 286, 287, 288, 290, 291, 292, 293, 295, 304, 307, 309,
    310, 314, 315, 319, 323, 329, 330, 331, 336, 342, 345, 349, 350, 351, 352, 355, 357, 368,
    370, 371, 374, 379, 380, 383, 384, 397, 401, 403, 405, 407, 408, 411, 412, 413, 414, 417,
    419, 421, 423, 427, 429, 430, 432, 440, 441, 442, 443, 444, 446, 454, 457,
)
# fmt: on


def _read_edges(path: Path) -> NDArray[np.bool_]:
    """Where a pixel's neighbour above, below, left or right has another category."""
    categories = _categories(path)
    edges = np.zeros(categories.shape, np.bool_)
    for ours, theirs in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
        differs = categories[ours] != categories[theirs]
        edges[ours] |= differs
        edges[theirs] |= differs
    return edges


def _read_saliency(path: Path) -> NDArray[np.bool_]:
    return read_values(path) > IGNORE / 2


def _read_normals(path: Path, categories: Path) -> NDArray[Any]:
    vectors = read_vectors(path)
    valid = np.isin(_categories(categories), _WITH_NORMALS)
    if valid.shape != vectors.shape[:2]:
        raise DatasetError(f"{path} and {categories} have different sizes")
    return np.where(valid[..., np.newaxis], vectors, 0)


def _read_human_parts(path: Path) -> NDArray[np.int64]:
    """Parts of all people.

    Of each object the file has a name, a category, a mask, and parts with a name and a mask each.
    """
    try:
        objects = _variable(path, "anno")["objects"][0, 0].reshape(-1)
        parts = np.zeros(objects[0]["mask"].shape, np.int64)
        for each in objects:
            if int(each["class_ind"].item()) == _PERSON and each["parts"].size:
                for part in each["parts"].reshape(-1):
                    parts[part["mask"].astype(np.bool_)] = _PART[str(part["part_name"].item())]
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise DatasetError(
            f"{path} is no annotation of objects and their parts",
            expected="anno.objects, each with class_ind, mask and parts",
            got=f"{type(error).__name__}: {error}",
        ) from error
    return parts


def _categories(path: Path) -> NDArray[Any]:
    found: NDArray[Any] = _variable(path, "LabelMap")
    return found


def _variable(path: Path, name: str) -> Any:
    variables = read_mat(path)
    if name not in variables:
        names = ", ".join(key for key in variables if key[0] != "_")
        raise DatasetError(f"{path} lacks a variable", expected=name, got=names or "none")
    return variables[name]


_LAYOUT: dict[tuple[str, str, int], tuple[tuple[str, ...], Callable[..., NDArray[Any]]]] = {
    ("semseg", "labels", 21): (("semseg/VOC12", "semseg/pascal-context"), read_values),
    ("human_parts", "labels", 7): (("human_parts",), _read_human_parts),
    ("sal", "two_class", 2): (("sal_distill",), _read_saliency),
    ("normals", "normals", 3): (("normals_distill",), _read_normals),
    ("edge", "probability", 1): ((_CATEGORIES,), _read_edges),
}
"""Name, kind and channels of a task → where its files lie, and how they are read."""


def open_pascal(root: Path, tasks: Mapping[str, TaskInfo]) -> FileDataset:
    """Opens the validation set.

    Raises:
        DatasetError: Something is missing.
    """
    names = listed(root / MARK / "val.txt")
    truths = {}
    for task, info in tasks.items():
        if (task, info.kind, info.classes) in _LAYOUT:
            folders, read = _LAYOUT[task, info.kind, info.classes]
            files = files_named([root / each for each in folders], names, (".png", ".mat"))
            if files and task == "normals":
                masks = files_named([root / _CATEGORIES], names, (".mat",))
                files = {each: files[each] + masks[each] for each in files.keys() & masks.keys()}
            if files:
                rules = WITHOUT_PEOPLE if task == "human_parts" else RULES
                truths[task] = Truths(info, files, read, rules)
    images = images_named(root / "JPEGImages", names, ".jpg")
    return FileDataset("PASCAL-Context val", images, truths)
