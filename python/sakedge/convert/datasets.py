"""The two data sets of the paper: input sizes, tasks, class names and colours."""

from __future__ import annotations

from dataclasses import dataclass

from sakedge.tasks import TaskInfo


@dataclass(frozen=True)
class Dataset:
    """A data set's input size (height, width) and its tasks by name."""

    input_size: tuple[int, int]
    tasks: dict[str, TaskInfo]


def voc_color(index: int) -> tuple[int, int, int]:
    """Colour of a class in PASCAL VOC's palette.

    The class index's bits are distributed to red, green and blue in turn, from each channel's
    highest bit downwards.
    """
    channels = [0, 0, 0]
    for bit in range(24):
        channels[bit % 3] |= (index >> bit & 1) << (7 - bit // 3)
    return channels[0], channels[1], channels[2]


def _labels(task: str, labels: tuple[str, ...], first_color: int = 0) -> TaskInfo:
    colors = tuple(voc_color(first_color + i) for i in range(len(labels)))
    return TaskInfo(name=task, kind="labels", classes=len(labels), labels=labels, colors=colors)


VOC_CLASSES = (
    "background",
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "dining table",
    "dog",
    "horse",
    "motorbike",
    "person",
    "potted plant",
    "sheep",
    "sofa",
    "train",
    "tv monitor",
)
PARTS = ("background", "head", "torso", "upper arm", "lower arm", "upper leg", "lower leg")
NYU_CLASSES = (
    "wall",
    "floor",
    "cabinet",
    "bed",
    "chair",
    "sofa",
    "table",
    "door",
    "window",
    "bookshelf",
    "picture",
    "counter",
    "blinds",
    "desk",
    "shelves",
    "curtain",
    "dresser",
    "pillow",
    "mirror",
    "floor mat",
    "clothes",
    "ceiling",
    "books",
    "refrigerator",
    "television",
    "paper",
    "towel",
    "shower curtain",
    "box",
    "whiteboard",
    "person",
    "night stand",
    "toilet",
    "sink",
    "lamp",
    "bathtub",
    "bag",
    "other structure",
    "other furniture",
    "other prop",
)

_NORMALS = TaskInfo(name="normals", kind="normals", classes=3)
_EDGE = TaskInfo(name="edge", kind="probability", classes=1)

DATASETS = {
    "pascalcontext": Dataset(
        (512, 512),
        {
            "semseg": _labels("semseg", VOC_CLASSES),
            "human_parts": _labels("human_parts", PARTS),
            "sal": TaskInfo(name="sal", kind="two_class", classes=2),
            "normals": _NORMALS,
            "edge": _EDGE,
        },
    ),
    "nyud": Dataset(
        (448, 576),
        {
            # NYUD has no background: class 0 is `wall`, and the palette's black stays unused.
            "semseg": _labels("semseg", NYU_CLASSES, first_color=1),
            "normals": _NORMALS,
            "edge": _EDGE,
            "depth": TaskInfo(name="depth", kind="scalar", classes=1, unit="m"),
        },
    ),
}
